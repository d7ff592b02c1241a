"""Compiled blocks: several whole updates as one call, traced from the readable step.

spec          the sizes and settings that shape a block, and the reason not to compile
suitability   the block of a trainer, or that reason
layout        the tensors that a block changes in place, and where a training holds them
numbers       hyperparameters as inputs of the program, for the code of torch.optim
trace         the readable step as a graph of operations
compiler      torch's ahead-of-time compiler, told to be quick
cache         the programs compiled so far, shared by all processes of the user
build         a block from a problem: traced, compiled, compared with the readable step
block         the program at work on a training's own tensors
"""
