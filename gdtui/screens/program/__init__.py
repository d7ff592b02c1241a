"""The main screen's part for a program that `gdtui run` started.

keys      the keys, the console and the line with an open question
question  asks what changed its meaning
typing    types into the program's terminal
"""
