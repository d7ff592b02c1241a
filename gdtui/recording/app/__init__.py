"""The app without a terminal, whose screen goes into a recording."""
