"""The variants of a run as it goes on: their places on screen, and forks that wait."""
