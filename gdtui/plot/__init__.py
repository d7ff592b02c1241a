"""Charts for slides and papers: the pictures of the screen, drawn by matplotlib."""
