"""Building blocks for problems: networks, losses, held-out samples."""
