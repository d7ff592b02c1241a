"""A run out of CSV: `rows` reads it, `fill` completes, `cut` makes chunks, `write` the run."""
