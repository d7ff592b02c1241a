"""Gives a newly made loop the state of the checkpoint with which it goes on."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from engine.settings.text import clean
from engine.tracking.checkpoints.continuation import Continuation, KeptPoint, ResumeError
from engine.tracking.checkpoints.finding import State, find_continuation
from engine.tracking.checkpoints.state import UnsupportedError, restore_loop
from engine.tracking.loop.generators import LoopGenerators
from engine.training.state.modules import StateMismatchError

if TYPE_CHECKING:
    from engine.tracking.loop.batches import LoaderBatches
    from engine.tracking.loop.order import EpochPlace
    from engine.tracking.loop.updates import Updates
    from engine.tracking.ranks.team import Team

_MISFITS: Final = (
    StateMismatchError,
    UnsupportedError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,
)

Found = tuple[str, Continuation | None, State]
"""The reason why a run cannot be continued, or the training to continue and its state."""


class Restoring:
    """Brings a loop to a checkpoint. All ranks of a loop do so together."""

    def __init__(
        self, updates: "Updates | None", batches: "LoaderBatches | None", team: "Team | None"
    ) -> None:
        self._updates, self._batches, self._team = updates, batches, team
        self._state: State = {}
        self._name = ""

    def find(self, path: Path, name: str) -> Continuation | None:
        """The training to go on with; None if it is a new one. Raises ResumeError."""
        self._name = name
        error, found, self._state = self._found(path, name)
        if error:
            raise ResumeError(error)
        if found is not None:
            self._explain(found)
        return found

    def _explain(self, found: Continuation) -> None:
        """Say which checkpoint cannot be used, and that training begins again without one."""
        begin = "; training begins again" if found.point is None else ""
        if found.refused:
            of, why = f"checkpoint of {found.name}", found.refused[0]
            what = f"no {of} can" if found.point is None else f"the last {of} cannot"
            self._say(f"{what} be used: {why}{begin}")
        elif begin:
            self._say(f"there is no checkpoint of {found.name} yet{begin}")

    def _found(self, path: Path, name: str) -> Found:
        if self._team is None:
            return _search(path, name)
        found: Found = ("", None, {})
        if self._team.is_recorder:
            error, continuation, state = found = _search(path, name)
            if continuation is not None:  # a run is of no use to those that write nothing
                self._team.share((error, replace(continuation, run=None), state))
                return found
        shared: Found = self._team.share(found)
        return shared

    def restore(self, path: Path, point: KeptPoint, model: Any, others: Mapping[str, Any]) -> None:
        """Give the loop the state that was found; ResumeError if it does not fit."""
        optimizer = None if self._updates is None else self._updates.optimizer
        with _explained(path, point):
            self._check(point)
            restore_loop(self._state, model, optimizer, others)
            rank = 0 if self._team is None else self._team.rank
            self._go_to(point, point.loop.of_rank(rank))
        self._state = {}
        self._say(
            f"{self._name} goes on after batch {point.origin.batches:,} "
            f"(epoch {point.origin.epoch:,})"
        )

    def _check(self, point: KeptPoint) -> None:
        kept, ranks = point.loop, 1 if self._team is None else self._team.size
        if len(kept.ranks) != ranks:
            raise StateMismatchError(
                f"it is of {len(kept.ranks)} ranks, and {ranks} train now: start as many"
            )
        now = 0 if self._batches is None else self._batches.epoch_samples * ranks
        if now and kept.epoch_samples and now != kept.epoch_samples:
            raise StateMismatchError(
                f"it was trained on {kept.epoch_samples:,} samples an epoch, and the loader now "
                f"has {now:,}"
            )

    def _go_to(self, point: KeptPoint, place: "EpochPlace") -> None:
        kept = point.loop
        if self._batches is None:
            device = "cpu" if self._updates is None else self._updates.device
            LoopGenerators(None, torch.device(device)).restore(place.now)
            return
        self._batches.generators.restore(place.now)
        if kept.is_in_epochs:
            self._batches.resume(place, lambda reason: self._begin_epoch_again(point, reason))
        elif kept.in_epoch:
            self._say(
                "the order of samples is not restored, since the loop does not draw its batches "
                "from run.epochs()"
            )

    def _begin_epoch_again(self, point: KeptPoint, reason: str) -> None:
        self._say(
            f"the order of samples cannot be restored, since {reason}; epoch "
            f"{point.origin.epoch:,} begins again"
        )

    def _say(self, text: str) -> None:
        if self._team is None or self._team.is_recorder:
            with contextlib.suppress(OSError, ValueError):
                print(f"gdtui: {clean(text)}", file=sys.stderr, flush=True)


def _search(path: Path, name: str) -> Found:
    try:
        found = find_continuation(path, name)
    except (ResumeError, OSError) as error:
        return str(error) or type(error).__name__, None, {}
    return ("", *found) if found is not None else ("", None, {})


@contextlib.contextmanager
def _explained(path: Path, point: KeptPoint) -> Iterator[None]:
    """Turn what a state that does not fit raises into a message for the user."""
    try:
        yield
    except _MISFITS as error:
        plain = isinstance(error, StateMismatchError | UnsupportedError)
        reason = str(error) if plain else f"{type(error).__name__}: {error}"
        raise ResumeError(
            clean(
                f"the checkpoint at batch {point.origin.batches:,} in {path} does not fit this "
                f"script: {reason}. Nothing was written; choose another run_dir to begin again"
            )
        ) from error
