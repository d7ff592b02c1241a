"""Commands that show a run to others: recordings, pictures, a page in a browser."""
