"""Storage of a history: arrays that grow, in memory that does not."""
