"""The words of a variant's panel, or of its line: settings, figures, measurements."""
