"""What the fork server imports once, so that each worker forked from it starts in milliseconds.

Runs no tensor operation and touches no device: either would break in a forked process.
"""

import torch._dynamo  # torch.optim imports this at its first step: 1.2–1.5 s, better spent once

import engine.problems.synthetic
import engine.trainer
import engine.worker

__all__ = ["engine", "torch"]
