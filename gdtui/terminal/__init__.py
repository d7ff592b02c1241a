"""What lies between the app and its terminal."""
