"""The screens: the main one, and those that cover it."""
