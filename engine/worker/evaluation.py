"""Evaluation of a variant during training: when its model is evaluated, and the records of that.

It does not depend on commands, pace or state. Imports no torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from engine.log.records import Evaluation, Record, Validated

if TYPE_CHECKING:
    from engine.training.evaluate import Scores
    from engine.training.trainer import Trainer

FULL_LOSS_AT_ONCE: Final = 0.25
FULL_LOSS_SHARE: Final = 0.007
"""Time budget for the loss on all data: an initial number of seconds, then a share of the time.

Evaluating it after every epoch would take a quarter of all time, since a forward pass costs half as
much as a backward pass; real training does not evaluate it that often. Problems as small as the
lesson's still get it after thousands of epochs.
"""


FIRST_SECONDS: Final = 0.5
"""Seconds for the training data, and for the held-out data, before the first update.

All 60,000 images of a small convolutional net would hold it back by 11 s.
"""
LONG_SECONDS: Final = 0.1
"""A loss on all data that takes longer has no initial budget: its share of the time pays for all.
"""
AT_ONCE: Final = 1_000
"""Number of evaluations per generation that are made whenever they are due."""
LEAST_SECONDS: Final = 0.1
"""Minimum seconds between later evaluations; those that are due sooner are skipped.

Full batch at free pace trains thousands of epochs a second. Evaluating and logging each would take
more time than training, and a gigabyte of disk an hour.
"""


class Evaluator:
    """Evaluates a variant's model and passes each record to `write`.

    Evaluations on held-out data are due at the end of each epoch and every `validate_every` updates
    in between. The loss on all training data is due at the end of an epoch if its budget allows.
    After the first thousand, evaluations are at least a tenth of a second apart, except for the
    last one of the training.
    """

    def __init__(
        self,
        write: Callable[[Record], None],
        validate_every: int | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`validate_every`: updates between validations, or None for epoch ends only."""
        self._write = write
        self._clock = clock
        self._validate_every = validate_every
        self.begin()

    def begin(self) -> None:
        """Begin another generation, with nothing evaluated and a full budget."""
        self._evaluated_epoch = -1
        self._validated_update = 0
        self._full_loss_budget = Budget(FULL_LOSS_AT_ONCE, FULL_LOSS_SHARE)
        self._full_loss_cost = 0.0
        """Seconds that the loss on all data took last, or is expected to take."""
        self._evaluations = 0
        self._evaluated_at = 0.0

    def resume(self, *, evaluated_epoch: int, validated_update: int) -> None:
        """Go on after these evaluations by an earlier worker; -1 and 0 for none."""
        self._evaluated_epoch, self._validated_update = evaluated_epoch, validated_update

    @property
    def is_affordable(self) -> bool:
        """True if there were few evaluations so far, or the last one is long enough ago."""
        return self._evaluations < AT_ONCE or self._clock() - self._evaluated_at >= LEAST_SECONDS

    def _count(self) -> None:
        self._evaluations += 1
        self._evaluated_at = self._clock()

    # --- At epochs' ends ------------------------------------------------------------------------

    def is_due(self, trainer: Trainer) -> bool:
        """True if an epoch has ended (or none has begun) and has not been evaluated yet."""
        return trainer.at_epoch_end and self._evaluated_epoch < trainer.epoch

    def evaluate_first(self, trainer: Trainer) -> None:
        """Evaluate all data before the first update, or a random part of the training data."""
        from engine.training.first_evaluation import evaluate_within

        self._evaluated_epoch, self._validated_update = trainer.epoch, trainer.updates
        held_out = None
        if trainer.validation is not None:
            held_out = evaluate_within(
                FIRST_SECONDS,
                trainer.objective,
                trainer.validation,
                partial(trainer.scores_on, metrics=trainer.problem.metrics),
            )
        found = evaluate_within(
            FIRST_SECONDS,
            trainer.objective,
            trainer.source,
            partial(trainer.scores_on, metrics={}),
        )
        self._full_loss_cost = found.seconds
        if found.seconds > LONG_SECONDS:
            self._full_loss_budget = Budget(0.0, FULL_LOSS_SHARE, self._clock)
        loss, is_whole = found.scores.loss, found.is_whole
        self._record(
            trainer,
            full_loss=loss if is_whole else None,
            scores=held_out.scores if held_out and held_out.is_whole else None,
            part_loss=None if is_whole else loss,
            part_samples=0 if is_whole else found.samples,
        )

    def evaluate(self, trainer: Trainer, *, always_full: bool) -> None:
        """Evaluate held-out data, and all training data if `always_full` or affordable."""
        self._evaluated_epoch, self._validated_update = trainer.epoch, trainer.updates
        full_loss = None
        if always_full:
            full_loss = trainer.full_loss()
        elif self._full_loss_budget.affords(self._full_loss_cost):
            start = self._clock()
            with self._full_loss_budget.spending():
                full_loss = trainer.full_loss()
            self._full_loss_cost = self._clock() - start
        self._record(trainer, full_loss=full_loss, scores=trainer.validate())

    def _record(
        self,
        trainer: Trainer,
        *,
        full_loss: float | None,
        scores: Scores | None,
        part_loss: float | None = None,
        part_samples: int = 0,
    ) -> None:
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
                part_loss=part_loss,
                part_samples=part_samples,
                validation_loss=None if scores is None else scores.loss,
                metrics={} if scores is None else scores.metrics,
            )
        )

    # --- In between -----------------------------------------------------------------------------

    def batches_until_validation(self, trainer: Trainer) -> int | None:
        """Batches until the next validation within an epoch is due; None if validation is off."""
        every = self._validate_every
        if every is None or trainer.validation is None:
            return None
        return trainer.batches_for(every - trainer.updates % every)

    def validate_if_due(self, trainer: Trainer) -> None:
        """Evaluate on the held-out data if due, except at the end of an epoch."""
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
    """Time that may be spent besides training: an initial allowance, then a share of the time.

    A cost may turn out higher than expected. The budget then goes into debt, which passing time
    pays off.
    """

    def __init__(
        self, at_once: float, share: float, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Begin with `at_once` seconds, also the maximum; gain `share` of each passing second."""
        self._at_once = self._left = at_once
        self._share = share
        self._clock = clock
        self._refilled = clock()

    def affords(self, cost: float) -> bool:
        """True if so many seconds are left now; saves up for them, if they exceed the maximum."""
        now = self._clock()
        most = max(self._at_once, cost)
        self._left = min(self._left + self._share * (now - self._refilled), most)
        self._refilled = now
        return self._left > 0 and self._left >= cost

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Charge the duration of the block to the budget, even if nothing is left."""
        start = self._clock()
        try:
            yield
        finally:
            self.charge(self._clock() - start)

    def charge(self, seconds: float) -> None:
        """Take these seconds from the budget, even if nothing is left."""
        self._left -= seconds
