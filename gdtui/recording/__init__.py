"""Recordings of the screen: the app on a virtual terminal, in virtual or real time, as files."""
