"""What each command accepts, and how its help reads."""
