"""Time that passes only when the app has nothing left to do."""
