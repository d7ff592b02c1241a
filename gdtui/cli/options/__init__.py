"""The options that describe a run: as they are typed, as they are read."""
