"""The options that describe a run: how they are typed and how they are read."""
