"""The user's own tables and arrays: read, checked, and made into problems.

Runs where a problem is loaded, never in the process that draws the screen. Whatever is wrong with a
file is a SettingsError of one sentence that names the file, and the column, line or array.
"""
