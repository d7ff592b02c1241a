"""Compiled blocks: several whole updates as one call, made from the readable step.

spec          the sizes and settings that shape a block, and the reason not to compile
suitability   the block of a trainer, or that reason
layout        the tensors that a block changes in place, and where a training holds them
tracing       the readable step as a graph of operations
compiler      torch's ahead-of-time compiler, told to be quick
cache         the programs compiled so far, shared by all processes of the user
rehearsal     a training of the compiler's own, to trace and to compare a block with
build         a block from a problem: compiled or captured, compared with the readable step
block         the program at work on a training's own tensors
captured      the same on a GPU, where a CUDA graph takes the place of a program
"""
