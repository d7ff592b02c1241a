"""The console of a process, as it is shown."""
