"""The problems that come with gdtui, each in its own module."""
