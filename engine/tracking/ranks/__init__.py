"""Loops of several ranks: one record, weighted over all, and orders at the same update."""
