"""The pieces of the main screen, one a file. They show what they are given and hold no truth."""
