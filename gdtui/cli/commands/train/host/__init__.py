"""The host process of a run on screen.

process   the process as the app that starts it sees it
messages  the messages that make it the host of a run
main      its main function: loads a problem if asked to, trains, ends
"""
