"""From keys to commands and views. Knows no widget."""
