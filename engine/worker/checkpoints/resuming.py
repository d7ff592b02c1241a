"""Brings a trainer to a point of a training: from the last checkpoint, then by training again.

What was trained after the checkpoint is trained once more, with the changes that the logs record at
the batches where they were made. It is compared with the logs, and not recorded a second time.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.checkpoint.checkpoint import Checkpoint, restore
from engine.checkpoint.store import checkpoints_of
from engine.log.lineage.past import (
    CompiledPiece,
    Past,
    Turn,
    compiled_between,
    losses_between,
)
from engine.log.lineage.points import Stretch
from engine.log.records import Changed, Resumed
from engine.problem import ProblemError
from engine.settings import VariantSettings
from engine.training.state.modules import StateMismatchError
from engine.training.trainer import Trainer
from engine.worker.compiling.repeated import NotBuiltYetError, RepeatedSteps

_SLICE_SECONDS: Final = 0.2
"""Target duration of a slice that is trained again."""

_MOST_BATCHES: Final = 1 << 20
"""Largest slice; one never reaches beyond its epoch, so that short epochs need no more."""

_WAIT_SECONDS: Final = 0.02
"""Seconds between two looks for a compiled step that is being built."""

MakeTrainer = Callable[[VariantSettings, int, int | None], Trainer]
"""Makes a trainer at the first weights, from settings, planned epochs and the micro-batch."""


class Repetition:
    """A training on its way to the end of a route, slice by slice.

    It can be dropped between two slices.
    """

    def __init__(
        self, route: Sequence[Stretch], make: MakeTrainer, steps: RepeatedSteps | None = None
    ) -> None:
        """`route`: as from `route_to`; the last stretch is that of the generation to go on with.

        `steps`: the compiled steps that trained before; None for the eager step throughout.
        """
        self._route = route
        self._make = make
        self._steps = steps
        self._slices = self._repeat()
        self.past = route[-1].past
        """The generation to go on with."""
        self.batches = 0
        """Batches done so far."""
        self._begin = self._differing = 0
        self._is_building = False
        self._refused: list[str] = []
        self._trainer: Trainer | None = None

    @property
    def until(self) -> int:
        """Batches to be done."""
        return self._route[-1].until

    @property
    def is_new(self) -> bool:
        """True if the generation has no batch of its own yet."""
        return self.past.origin is not None and self.until == self.past.origin.batches

    @property
    def progress(self) -> str:
        """How far it has come, for the panel."""
        if self._is_building:
            return "waiting for the compiled step of its training before"
        if not self.is_new or self.past.origin is None:
            return f"training batches {self.batches + 1:,} to {self.until:,} again"
        verb = "forking" if self.past.origin.variant else "rewinding"
        return f"{verb}: {self.batches:,} of {self.until:,} batches"

    @property
    def trainer(self) -> Trainer:
        """The trainer at the end of the route."""
        assert self._trainer is not None
        return self._trainer

    @property
    def resumed(self) -> Resumed:
        """The record of how the trainer got there."""
        return Resumed(
            generation=self.past.generation,
            batches=self.until,
            checkpoint=self._begin,
            differing=self._differing,
            refused=tuple(self._refused),
            not_compiled="" if self._steps is None else self._steps.missing,
        )

    def advance(self) -> bool:
        """Train one slice; True at the end of the route.

        Raises ProblemError if the problem is not the one that was trained.
        """
        return next(self._slices, None) is None

    def _repeat(self) -> Iterator[int]:
        """Yield the number of batches done before each slice."""
        first, trainer = self._from_checkpoint()
        self._trainer = trainer
        self._begin = self.batches = trainer.batches
        for k in range(first, len(self._route)):
            if k > first:
                self._enter(trainer, self._route[k - 1], self._route[k].past)
            yield from self._repeat_stretch(trainer, self._route[k], is_last=k == self._last)
        trainer.use(None)
        trainer.seconds = self.past.seconds

    @property
    def _last(self) -> int:
        return len(self._route) - 1

    def _from_checkpoint(self) -> tuple[int, Trainer]:
        """A trainer at the last usable checkpoint of the route, and the index of its stretch."""
        for k in reversed(range(len(self._route))):
            if (trainer := self._from_stretch(self._route[k])) is not None:
                return k, trainer
        started = self._route[0].past.started
        assert started is not None
        trainer = self._make(started.settings, started.epochs, started.micro_batch)
        self._check_problem(trainer)
        return 0, trainer

    def _from_stretch(self, stretch: Stretch) -> Trainer | None:
        for checkpoint in checkpoints_of(stretch, self._refused):
            if (trainer := self._of_checkpoint(checkpoint)) is not None:
                return trainer
        return None

    def _of_checkpoint(self, checkpoint: Checkpoint) -> Trainer | None:
        header = checkpoint.header
        trainer = self._make(header.settings, header.epochs, header.micro_batch)
        self._check_problem(trainer)
        try:
            restore(trainer, checkpoint)
        except StateMismatchError as error:
            self._refused.append(f"the checkpoint at batch {checkpoint.batches:,}: {error}")
            return None
        return trainer

    def _check_problem(self, trainer: Trainer) -> None:
        started = self.past.started
        assert started is not None
        if trainer.n != started.n:
            raise ProblemError(
                f"this run was trained on {started.n:,} samples, and the problem now has "
                f"{trainer.n:,}; it can only go on with the same data"
            )

    @staticmethod
    def _enter(trainer: Trainer, left: Stretch, past: Past) -> None:
        """Begin a generation at the end of a stretch of another one."""
        started = past.started
        assert started is not None
        at_end = [turn for done, turn in left.past.turns if done == left.until]
        changes = [turn.settings for turn in at_end if isinstance(turn, Changed)]
        if changes and changes[-1] == started.settings:  # as it went on there, step by step
            for turn in at_end:
                _take(trainer, turn)
        if trainer.epochs != started.epochs:
            trainer.plan(started.epochs)
        if (trainer.settings, trainer.most_at_once) != (started.settings, started.micro_batch):
            trainer.repeat_change(started.settings, started.micro_batch)

    def _repeat_stretch(
        self, trainer: Trainer, stretch: Stretch, *, is_last: bool
    ) -> Iterator[int]:
        """Train again up to the end of a stretch; yield before each slice."""
        begin, end, size = trainer.batches, stretch.until, 1
        place = stretch.log, stretch.past.generation, begin, end
        logged, compiled = losses_between(*place), compiled_between(*place)[::-1]
        turns = [
            turn
            for turn in stretch.past.turns
            if begin <= turn[0] and (is_last or turn[0] < stretch.until)
        ]
        while True:
            while turns and turns[0][0] <= trainer.batches:
                _take(trainer, turns.pop(0)[1])
            until = min(end, turns[0][0] if turns else end)
            if trainer.batches >= until:
                return
            yield trainer.batches
            done = trainer.batches
            while compiled and compiled[-1].begin < done:
                compiled.pop()
            if compiled and compiled[-1].begin == done:
                piece = compiled.pop()
                yield from self._train_compiled(trainer, piece, end, logged[done - begin :])
                continue
            until = min(until, compiled[-1].begin if compiled else until)
            start = time.perf_counter()
            self._train(trainer, min(until - done, size), logged[done - begin :])
            took = max(time.perf_counter() - start, 1e-6)
            size = max(1, min(int(size * _SLICE_SECONDS / took), 4 * size, _MOST_BATCHES))

    def _train_compiled(
        self, trainer: Trainer, piece: CompiledPiece, end: int, logged: NDArray[np.float32]
    ) -> Iterator[int]:
        """Train a piece in the calls in which it was trained, up to `end`; yield while waiting."""
        while self._steps is not None:
            try:
                self._steps.use(trainer, piece.updates, has_end=piece.has_end)
            except NotBuiltYetError:
                self._is_building = True
                yield trainer.batches
                continue
            break
        self._is_building = False
        # A part of it ends with eager batches, which were trained in a call before.
        self._train(
            trainer, min(piece.end, end) - trainer.batches, logged, is_same=piece.end <= end
        )
        trainer.use(None)

    def _train(
        self, trainer: Trainer, batches: int, logged: NDArray[np.float32], *, is_same: bool = True
    ) -> None:
        """Train batches again; `is_same` says that each is computed as it was before."""
        again = np.frombuffer(trainer.advance(batches).losses, "<f4")
        self.batches = trainer.batches
        self._differing += is_same and int(
            (again.view("<u4") != logged[: len(again)].view("<u4")).sum()
        )
        if not trainer.last_loss_is_finite and trainer.batches < self.until:
            raise ProblemError(
                f"batch {trainer.batches:,}, trained again, has a loss that is not finite, unlike "
                "before: the problem's code or data have changed"
            )


def _take(trainer: Trainer, turn: Turn) -> None:
    if isinstance(turn, Changed):
        trainer.repeat_change(turn.settings, turn.micro_batch)
    else:
        trainer.plan(turn.epochs)
