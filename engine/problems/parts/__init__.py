"""Building blocks of the problems: networks, losses, held-out samples."""
