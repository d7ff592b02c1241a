"""Resources that a host holds on its machine, and gives back when it ends.

listener  the socket's file, and the note in the run directory that names it
terminal  the terminal of a viewer, which the host restores if the viewer is killed
"""
