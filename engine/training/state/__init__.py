"""Everything that decides the future of a training, taken from a trainer and given to another."""
