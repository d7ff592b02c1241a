"""Hosts as commands use them: how they are reached, and how they are ended."""
