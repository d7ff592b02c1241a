"""Evaluation of one variant as it trains: when its model is evaluated, and the records of it.

Knows no command, pace or state. Imports no torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from engine.log.records import Evaluation, Record, Validated

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

FULL_LOSS_AT_ONCE: Final = 0.25
FULL_LOSS_SHARE: Final = 0.02
"""Time for losses on all data: so many seconds, then this share of the time that passes.

At every epoch's end it would take a quarter of all time, since a pass forward costs half as much as
one back, and nobody who trains in earnest takes it so often. Problems of the lesson's size still
have it after thousands of epochs.
"""


AT_ONCE: Final = 1_000
"""Evaluations of a generation that are made whenever they are due."""
LEAST_SECONDS: Final = 0.1
"""Seconds from one evaluation to the next after these; those that are due in between are left out.

Full batch at free pace goes through thousands of epochs a second: evaluating and logging each would
take more time than training, and a gigabyte an hour.
"""


class Evaluator:
    """One variant's evaluations; `write` takes each record of them.

    Held-out data are due at each epoch's end and every so many updates in between. The loss on all
    training data is due at the same ends, as far as its budget goes. After the first thousand, no
    two evaluations come within a tenth of a second, but for the last one of a training.
    """

    def __init__(
        self,
        write: Callable[[Record], None],
        validate_every: int | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`validate_every`: updates between two validations; None for epochs' ends only."""
        self._write = write
        self._clock = clock
        self._validate_every = validate_every
        self.begin()

    def begin(self) -> None:
        """Begin another generation, with nothing evaluated and a full budget."""
        self._evaluated_epoch = -1
        self._validated_update = 0
        self._full_loss_budget = Budget(FULL_LOSS_AT_ONCE, FULL_LOSS_SHARE)
        self._evaluations = 0
        self._evaluated_at = 0.0

    @property
    def is_affordable(self) -> bool:
        """True while evaluations are few, or the last one is long enough ago."""
        return self._evaluations < AT_ONCE or self._clock() - self._evaluated_at >= LEAST_SECONDS

    def _count(self) -> None:
        self._evaluations += 1
        self._evaluated_at = self._clock()

    # --- At epochs' ends ------------------------------------------------------------------------

    def is_due(self, trainer: Trainer) -> bool:
        """True when an epoch has ended (or none has begun) and was not evaluated yet."""
        return trainer.at_epoch_end and self._evaluated_epoch < trainer.epoch

    def evaluate(self, trainer: Trainer, *, always_full: bool) -> None:
        """Evaluate held-out data, and all training data if `always_full` or affordable."""
        self._evaluated_epoch, self._validated_update = trainer.epoch, trainer.updates
        full_loss = None
        if always_full:
            full_loss = trainer.full_loss()
        elif not self._full_loss_budget.is_spent:
            with self._full_loss_budget.spending():
                full_loss = trainer.full_loss()
        scores = trainer.validate()
        self._count()
        self._write(
            Evaluation(
                generation=trainer.generation,
                epoch=trainer.epoch,
                batches=trainer.batches,
                updates=trainer.updates,
                samples=trainer.samples,
                seconds=trainer.seconds,
                full_loss=full_loss,
                validation_loss=None if scores is None else scores.loss,
                metrics={} if scores is None else scores.metrics,
            )
        )

    # --- In between -----------------------------------------------------------------------------

    def batches_until_validation(self, trainer: Trainer) -> int | None:
        """Batches until the next validation is due; None when none is before the epoch's end."""
        every = self._validate_every
        if every is None or trainer.validation is None:
            return None
        return trainer.batches_for(every - trainer.updates % every)

    def validate_if_due(self, trainer: Trainer) -> None:
        """Evaluate on the held-out data when due, unless an epoch's end is due anyway."""
        every = self._validate_every
        if every is None or trainer.in_group or trainer.at_epoch_end or trainer.updates % every:
            return
        if trainer.updates == self._validated_update or not self.is_affordable:
            return
        self._validated_update = trainer.updates
        scores = trainer.validate()
        if scores is None:
            return
        self._count()
        self._write(
            Validated(
                generation=trainer.generation,
                epoch=trainer.epoch,
                batches=trainer.batches,
                updates=trainer.updates,
                samples=trainer.samples,
                seconds=trainer.seconds,
                loss=scores.loss,
                metrics=scores.metrics,
            )
        )


class Budget:
    """Time that may be spent beside training: some seconds at once, then a share of what passes.

    The cost of a thing is known afterwards only, so it may end in debt, which is waited off.
    """

    def __init__(
        self, at_once: float, share: float, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`at_once`: seconds that may be saved up, and are there from the start.

        `share`: of each second.
        """
        self._at_once = self._left = at_once
        self._share = share
        self._clock = clock
        self._refilled = clock()

    @property
    def is_spent(self) -> bool:
        """True when nothing is left at this moment."""
        now = self._clock()
        self._left = min(self._left + self._share * (now - self._refilled), self._at_once)
        self._refilled = now
        return self._left <= 0

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Charge the time of the block to the budget, whether or not anything is left."""
        start = self._clock()
        try:
            yield
        finally:
            self._left -= self._clock() - start
