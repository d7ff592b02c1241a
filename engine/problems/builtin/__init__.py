"""The problems that come with gdtui, one module each."""
