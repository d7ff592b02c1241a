"""The ways in which updates are computed: one by one, or several in one call of a block."""
