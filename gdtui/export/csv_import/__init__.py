"""A run out of CSV: `rows` reads it, `fill` completes it, `cut` makes chunks, `write` makes the
run.
"""
