"""The layer between the app and its terminal."""
