"""Makes a run from CSV: `rows` reads it, `fill` completes it, `cut` makes chunks, `write` a run."""
