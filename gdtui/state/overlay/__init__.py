"""Several runs on screen as one: their variants, names, records, and how they are opened."""
