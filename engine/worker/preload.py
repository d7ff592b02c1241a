"""Imports of the fork server, so that each worker forked from it starts in milliseconds.

Runs no tensor operation and touches no device: either would break in a forked process.
"""

import gc

# Many objects and hardly any garbage: without collections importing torch took 0.93 s, with them
# 1.01 s.
gc.disable()

import torch  # noqa: E402

import engine.measure.model_copy  # noqa: E402
import engine.problems.builtin.synthetic  # noqa: E402
import engine.training.trainer  # noqa: E402
import engine.worker.main  # noqa: E402
import engine.worker.measuring  # noqa: E402

gc.freeze()  # the collector never visits, and so never copies, pages shared with the workers
gc.enable()

__all__ = ["engine", "torch"]
