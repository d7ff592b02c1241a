"""Recordings as files: a cast, or the text of the last screen."""
