"""Tracking of a training loop that a user wrote, in three lines of the script."""

import os
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.tracking.lifetime import remember
from engine.tracking.run import TrackedRun

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


def track(
    optimizer: "Optimizer | None" = None,
    loader: "Iterable[Any] | None" = None,
    *,
    accumulation: int = 1,
    name: str | None = None,
    run_dir: str | os.PathLike[str] | None = None,
    model: "nn.Module | None" = None,
) -> TrackedRun:
    """Record a training loop, and let `gdtui attach` control it.

    `optimizer`: the loop's, for its lr and for `run.step`. `loader`: the source of the batches that
    `run.epochs` yields. `accumulation`: batches per update. `name`: the variant's. `run_dir`: the
    directory of the run, else GDTUI_RUN_DIR, else a new one where `gdtui train` puts its runs; a
    second loop with the same directory is a second variant of that run.

    If several ranks train together, each calls this, after `init_process_group`. `model`: the
    DistributedDataParallel or FSDP2 model, whose gradients are then reduced only at a group's end.

    `run.checkpoint` keeps checkpoints. `run.resume`, called before the first batch, goes on with
    the last one that an earlier start of the script has kept in the same directory.

    Nothing is written before the first batch. Training goes on whatever happens to the record.
    With GDTUI=off, nothing is recorded. Raises ValueError for an accumulation below 1.
    """
    run = TrackedRun(
        optimizer,
        loader,
        accumulation=accumulation,
        name=name,
        run_dir=run_dir,
        version=_version(),
        model=model,
    )
    remember(run)
    return run


@cache
def _version() -> str:
    """The version of the installed program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gdtui")
    except PackageNotFoundError:
        return "unknown"
