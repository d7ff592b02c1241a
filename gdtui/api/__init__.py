"""The Python API that `gdtui` exports for notebooks and scripts.

Imports neither torch nor textual.
"""
