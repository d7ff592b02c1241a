"""Reads and checks the user's tables and arrays, and makes problems of them.

Runs in the process that loads a problem, never in the one that draws the screen. An unusable file
raises a SettingsError of one sentence that names the file, and the column, line or array.
"""
