"""The main screen: its keys, its charts, its figures."""
