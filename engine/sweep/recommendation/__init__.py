"""The recommendation of a batch size, and its agreement with the measured table."""
