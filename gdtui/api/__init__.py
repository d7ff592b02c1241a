"""The Python API: what `gdtui` exports for notebooks and scripts.

Imports no torch and no textual.
"""
