"""Decodes the bytes of a log into records, and checks their values and their order."""
