"""Text files of tables: encoding, separators, rows, and the meaning of each column's words.

Touches no torch. What is guessed here can be overruled by a DataSettings, and what cannot be
decided is an error that names the option that decides it.
"""
