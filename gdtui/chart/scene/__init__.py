"""The scene of a chart, as values: pictures, lines, axes, colours. Pure."""
