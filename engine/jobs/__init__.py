"""Work in another process or thread. Importing this loads no torch."""
