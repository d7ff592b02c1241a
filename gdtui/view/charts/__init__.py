"""The parts of the charts beside their lines: marks and words."""
