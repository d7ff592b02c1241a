"""The loss over a plane through the weights of a run, computed in a separate process."""
