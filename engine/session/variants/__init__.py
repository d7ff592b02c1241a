"""The variants of a session: their workers watched over, variants added and removed."""
