"""Acts on a loop between two of its updates.

epoch_loop        yields the batches of epochs, and does what falls between two of them
levers            changes batch size, lr and accumulation
loop_checkpoints  has checkpoints taken, and brings a loop to the last one
"""
