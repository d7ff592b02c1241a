"""The training of one variant in this process: no files, no pipes, no commands."""
