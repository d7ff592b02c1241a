"""Every key of the program: the table, its parts, and scripts of keys."""
