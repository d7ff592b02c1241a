"""The evaluations of one generation that figures are taken from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from engine.log.records import Evaluation, Origin, Validated

_losses: Final = attrgetter("full_loss", "validation_loss")


@dataclass(slots=True)
class LastEvaluations:
    """The latest evaluation of each kind."""

    last: Evaluation | None = None
    """At the end of an epoch, or before the first epoch."""
    whole: Evaluation | None = None
    """The latest one with a full loss."""
    held_out: Validated | None = None
    """On held-out data, at the end of an epoch or within it on request."""
    loss_at_start: float | None = None
    """The full loss before the first batch."""
    gap: float = math.nan
    """Validation loss minus full training loss, with the same weights; NaN before both."""

    @classmethod
    def after(cls, origin: Origin) -> "LastEvaluations":
        """Those where a generation begins after a point of another one."""
        return cls(loss_at_start=origin.loss_at_start)

    @property
    def full_loss(self) -> float:
        """Mean loss over all training samples, as last evaluated; NaN before that."""
        loss = None if self.whole is None else self.whole.full_loss
        return math.nan if loss is None else loss

    @property
    def validation_loss(self) -> float:
        """Mean loss over held-out samples at the end of the last evaluated epoch; NaN without."""
        loss = None if self.last is None else self.last.validation_loss
        return math.nan if loss is None else loss

    def add(self, record: Evaluation) -> None:
        """Add the next evaluation."""
        if not record.epoch:
            self.loss_at_start = record.training_loss
        self.last = record
        held_out, full_loss = record.validation_loss, record.full_loss
        self.held_out = record.validated or self.held_out
        if full_loss is not None:
            self.whole = record
            if held_out is not None:
                self.gap = held_out - full_loss

    def add_all(self, records: Sequence[Evaluation]) -> None:
        """Add the next evaluations: all before the first epoch, and the latest of each kind."""
        places = {place for place, record in enumerate(records) if not record.epoch}
        kinds = [(full is None, held_out is None) for full, held_out in map(_losses, records)]
        for kind in set(kinds):
            places.add(len(kinds) - 1 - kinds[::-1].index(kind))
        for place in sorted(places):
            self.add(records[place])
