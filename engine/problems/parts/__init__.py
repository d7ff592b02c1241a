"""What the problems are made of: networks, losses, held-out samples."""
