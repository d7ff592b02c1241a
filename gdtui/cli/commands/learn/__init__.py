"""Commands that show problems, configuration and documentation."""
