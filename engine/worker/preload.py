"""The imports of the fork server, so that each worker forked from it starts in milliseconds.

It must not run tensor operations or use a device, since either would break in a forked process.
"""

import gc

# Imports create many objects and hardly any garbage: importing torch took 0.93 s without garbage
# collection and 1.01 s with it.
gc.disable()

import torch  # noqa: E402

import engine.measure.model_copy  # noqa: E402
import engine.problems.builtin.synthetic  # noqa: E402
import engine.training.trainer  # noqa: E402
import engine.worker.checkpoints.resuming  # noqa: E402
import engine.worker.main  # noqa: E402
import engine.worker.measuring.measurer  # noqa: E402

gc.freeze()  # keeps the collector from visiting, and so copying, pages shared with the workers
gc.enable()

__all__ = ["engine", "torch"]
