"""What worker and loader processes are told when they start, and what a loader answers."""

import msgspec

from engine.settings import DataSettings, RunSettings, Variant
from engine.worker.notes import Note


class WorkerTask(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker is told when it starts."""

    run: RunSettings
    variant: Variant
    device: str
    sharing: int = 1
    """Variants that train on this device."""
    stored: str = ""
    """Where the loader put the tensors of the data sets; empty: the problem makes them."""
    log: str
    output: str
    threads: int
    epochs: int
    pace: float | None
    measuring: bool = True
    is_paused: bool = False
    """It is not to train before it is told to."""


class LoadTask(msgspec.Struct, frozen=True, kw_only=True):
    """All that a loader is told when it starts."""

    problem: str
    data: DataSettings | None = None
    """The file that it is made of."""
    seed: int
    device: str
    threads: int
    stored: str
    """The directory for the tensors that workers map."""
    output: str


class Loaded(Note, frozen=True, kw_only=True):
    """What a problem is, as its loader found it."""

    n: int
    validation_n: int
    """Samples held out; 0 without any."""
    model: str
    parameters: int
    warnings: tuple[str, ...] = ()
    defaults: dict[str, str] = msgspec.field(default_factory=dict)
    """The problem's settings by the names of options, as they would be typed."""


class LoadFailed(Note, frozen=True, kw_only=True):
    """A problem that cannot be trained."""

    detail: str
    """One line, with the file, and the line where there is one."""
    traceback: str
