"""From a picture to coloured cells: plotext's frame, and dots by numpy."""
