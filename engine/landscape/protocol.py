"""Messages between a viewer and its surveyor: first the task, then requests and results."""

import msgspec

from engine.landscape.plane import Window
from engine.log.directory import RunInfo


class SurveyTask(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a surveyor receives when it starts."""

    run: str
    """The run directory."""
    info: RunInfo
    """The run as the viewer opened it: its problem is run, not one written to disk since then."""
    others: tuple[str, ...] = ()
    """Logs of variants that began at the same weights; the plane also shows their trajectories."""
    stored: str
    """The private directory of the run's loader; empty if the surveyor makes the problem itself."""
    output: str
    """The file for the surveyor's output; empty if the output is discarded."""


class SurveyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the plane to survey from now on, and how finely."""

    id: int
    window: Window | None
    """A part of the plane; None means the extent of the trajectories, refitted as they grow."""
    columns: int
    rows: int


class SurveyMessage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A message from a surveyor."""


class SurveyStarted(SurveyMessage, frozen=True, kw_only=True):
    """The plane and window of the messages that follow; earlier messages become invalid."""

    id: int
    window: Window
    explained: float
    """The share of the trajectories' variance in the plane."""
    is_exact: bool
    """True if the problem has at most two parameters, so that the plane is the whole space."""
    samples: int
    """Number of samples, out of n, over which the loss is taken."""
    n: int
    normalises: bool
    """True if BatchNorm and similar layers recompute their statistics at each point."""
    remembers_more: bool
    """True if training changes more than weights and statistics; that state stays as at the start.
    """


class LossRow(SurveyMessage, frozen=True, kw_only=True):
    """One row of a grid over the window; row 0 of `rows` is at the top."""

    row: int
    rows: int
    losses: bytes
    """Little-endian float32 from the left."""


class Trajectories(SurveyMessage, frozen=True, kw_only=True):
    """The trajectories on the plane, in the order of the variants."""

    points: tuple[bytes, ...]
    """For each trajectory, pairs of little-endian float32."""


class SurveyFailed(SurveyMessage, frozen=True, kw_only=True):
    """The reason why the survey has nothing to show."""

    detail: str


AnySurveyMessage = SurveyStarted | LossRow | Trajectories | SurveyFailed
