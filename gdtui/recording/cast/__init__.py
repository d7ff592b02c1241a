"""Recordings in asciinema's format, version 2: changes of a screen, frame by frame."""
