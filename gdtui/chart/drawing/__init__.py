"""The drawing of pictures as coloured cells: plotext's frame, and dots by numpy."""
