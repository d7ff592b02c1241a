"""The loss over a plane through the weights of a run, worked out in a process of its own."""
