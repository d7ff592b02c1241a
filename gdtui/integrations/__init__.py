"""Callbacks for the Trainers of other libraries, which record a training and obey keys.

Each module imports its library, and nothing of the screen.
"""
