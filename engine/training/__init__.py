"""The training of one variant in this process: no log, no pipe, no clock."""
