"""Writing logs: appending records, and what happens where a disk takes no more."""
