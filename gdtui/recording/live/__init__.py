"""Recordings of an app in a real terminal, made beside it while it is used."""
