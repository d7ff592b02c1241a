"""What leaves the program and comes back: CSV and pictures."""
