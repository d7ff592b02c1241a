"""Charts for a terminal: plotext draws the frame, a numpy layer of braille dots draws the data."""
