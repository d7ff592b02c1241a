"""Options of recordings, and recordings made while the app is used."""
