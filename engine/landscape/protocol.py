"""Messages between a viewer and its surveyor: first the task, then requests and findings."""

import msgspec

from engine.landscape.plane import Window
from engine.log.directory import RunInfo


class SurveyTask(msgspec.Struct, frozen=True, kw_only=True):
    """All that a surveyor is told when it starts."""

    run: str
    """The run directory."""
    info: RunInfo
    """The run as the viewer knows it: what was shown is run, not what is there by now."""
    others: tuple[str, ...] = ()
    """Logs of variants that began like it: their trajectories lie on the same plane."""
    stored: str
    """The private directory of the run's loader; empty where the problem is made anew."""
    output: str
    """The file for what it prints; empty: nowhere."""


class SurveyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the plane to survey from now on, and how finely."""

    id: int
    window: Window | None
    """A part of the plane; None: all that the trajectories fill, laid anew as they grow."""
    columns: int
    rows: int


class SurveyMessage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A message of a surveyor."""


class SurveyStarted(SurveyMessage, frozen=True, kw_only=True):
    """The plane and the window that what follows is about; everything before is void."""

    id: int
    window: Window
    explained: float
    """The share of the trajectories' variance in the plane."""
    is_exact: bool
    """The problem has no more than two parameters: the plane is all there is."""
    samples: int
    """Samples that the loss is the mean over, of n."""
    n: int
    normalises: bool
    """BatchNorm and its like take their statistics anew, from these samples, at each point."""
    remembers_more: bool
    """Training changes something else beside weights and statistics: it stands as at the start."""


class LossRow(SurveyMessage, frozen=True, kw_only=True):
    """One row of a grid over the window: row 0 of `rows` is at the top."""

    row: int
    rows: int
    losses: bytes
    """Little-endian float32 from the left."""


class Trajectories(SurveyMessage, frozen=True, kw_only=True):
    """The trajectories on the plane, in the variants' order."""

    points: tuple[bytes, ...]
    """Pairs of little-endian float32 for each."""


class SurveyFailed(SurveyMessage, frozen=True, kw_only=True):
    """The survey has nothing to show, and the reason."""

    detail: str


AnySurveyMessage = SurveyStarted | LossRow | Trajectories | SurveyFailed
