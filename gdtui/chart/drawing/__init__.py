"""Draws pictures as coloured cells: the frame by plotext, the dots by numpy."""
