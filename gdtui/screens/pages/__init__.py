"""Texts over the main screen: help, explanations, tables, code."""
