"""The screen in a browser: a local web server, and the watch-only app of each visit."""
