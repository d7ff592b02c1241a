"""What is shown above the main screen: help, the form for exact settings."""
