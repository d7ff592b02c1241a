"""Facts about a stored run: its own files, and how far it has got."""
