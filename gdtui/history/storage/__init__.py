"""Storage for a history: growing arrays in bounded memory."""
