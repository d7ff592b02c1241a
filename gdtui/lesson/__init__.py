"""The lesson beside the run: definitions, explanations, tables, code."""
