"""The only way to the files of a run: opened without following links, made private, removed."""
