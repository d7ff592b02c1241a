"""The widgets of the main screen, one per file. They show what they are given, and own no state."""
