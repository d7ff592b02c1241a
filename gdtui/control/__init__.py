"""Controllers: keys become commands and views. Knows no widget."""
