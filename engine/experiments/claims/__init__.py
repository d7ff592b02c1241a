"""One experiment a module: a claim of the lesson, tested."""
