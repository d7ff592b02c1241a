"""The weight of a loss: what it is averaged over, so that pieces of a batch add up to the batch."""
