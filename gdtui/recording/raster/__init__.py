"""Screens as pixels: braille and boxes drawn as geometry, letters from a monospaced font."""
