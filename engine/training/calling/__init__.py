"""Calls of a user's model, loss and metrics, whatever they take and return."""
