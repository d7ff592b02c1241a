"""Traces of the readable step: what it does, as a graph of operations."""
