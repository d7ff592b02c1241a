"""Commands for what a run keeps of its weights: to go on from them, and to take them out."""
