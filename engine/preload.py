"""What the fork server imports once, so that each worker forked from it starts in milliseconds.

Runs no tensor operation and touches no device: either would break in a forked process.
"""

import gc

# Many objects and hardly any garbage: without collections the imports took 2.1–2.5 s, with them 2.9 s.
gc.disable()

import torch._dynamo  # noqa: E402  torch.optim imports this at its first step: better spent once

import engine.problems.synthetic  # noqa: E402
import engine.trainer  # noqa: E402
import engine.worker  # noqa: E402

gc.freeze()  # what is shared with every worker is never looked at again, and so never copied
gc.enable()

__all__ = ["engine", "torch"]
