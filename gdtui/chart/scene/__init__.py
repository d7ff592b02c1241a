"""What a chart shows, as values: pictures, lines, axes, colours. Pure."""
