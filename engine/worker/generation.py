"""One generation of one variant as it is recorded: trains, measures, changes settings, and logs what it did.

Knows no command, pace or state: training.py decides what is done next. Imports torch only once it trains.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from engine.log.commands import Change
from engine.log.records import Changed, Chunk, Evaluation, Position, Refused, Validated
from engine.settings import SettingsError, VariantSettings
from engine.training.out_of_memory import retreat
from engine.worker.budget import Budget

if TYPE_CHECKING:
    from engine.training.stretch import Stretch
    from engine.training.trainer import Trainer
    from engine.worker.recorder import Recorder

_FULL_LOSS_AT_ONCE: Final = 0.25
_FULL_LOSS_SHARE: Final = 0.02
"""What the loss on all training data may take: so many seconds, then this share of the time. At every epoch's
end it would take a quarter of it, since a pass forward costs half as much as one back, and nobody who trains
in earnest takes it so often. Problems of the lesson's size have it after thousands of epochs still."""


class Generation:
    """A trainer, from its first weights on, and the records about it."""

    def __init__(self, number: int, trainer: Trainer, recorder: Recorder, validate_every: int | None) -> None:
        """`validate_every`: updates between two measurements on held-out data; None for epochs' ends only."""
        self.trainer = trainer
        self.seconds = 0.0
        """Of training so far: no pauses, no waits for the pace, no measurements."""
        self._number = number
        self._recorder = recorder
        self._validate_every = validate_every if trainer.validation is not None else None
        self._evaluated_epoch = -1
        self._validated_update = 0
        self._full_losses = Budget(_FULL_LOSS_AT_ONCE, _FULL_LOSS_SHARE)
        self._worked: VariantSettings | None = None
        """The settings of the last update that memory sufficed for."""

    @property
    def position(self) -> Position:
        """Where it stands, as far as its trainer does not know."""
        return Position(generation=self._number, seconds=self.seconds)

    # --- Training -------------------------------------------------------------------------------

    def most_batches(self) -> int | None:
        """Batches until a measurement is due; None when none is before the epoch's end."""
        if self._validate_every is None:
            return None
        trainer = self.trainer
        updates = self._validate_every - trainer.updates % self._validate_every
        steps = trainer.resolved.accumulation_steps
        return max(1, updates * steps - (steps - trainer.batches_left_in_update))

    def advance(self, batches: int) -> tuple[Stretch, float] | None:
        """Train so many batches: what was done, to be recorded, and the seconds it took.

        None when memory ran out and a step back was taken; with no smaller batch left, the error is raised.
        """
        start = time.perf_counter()
        try:
            stretch = self.trainer.advance(batches)
        except Exception as error:
            if not self._make_room(error):
                raise
            return None
        if not self.trainer.in_group:
            self._worked = self.trainer.settings
        return stretch, time.perf_counter() - start

    def record(self, stretch: Stretch, duration: float, *, behind: bool) -> None:
        """Log what was trained, and measure if that is due. `behind`: the pace could not be kept."""
        from engine.training.devices import peak_memory

        self._recorder.write(
            Chunk(
                generation=self._number,
                epoch=stretch.epoch,
                batch=stretch.batch,
                update=stretch.update,
                in_update=stretch.in_update,
                samples=stretch.samples,
                seconds=self.seconds,
                duration=duration,
                batch_size=stretch.batch_size,
                last_batch_size=stretch.last_batch_size,
                accumulation_steps=stretch.accumulation_steps,
                lr=stretch.lr,
                behind=behind,
                peak_memory=peak_memory(self.trainer.device),
                losses=stretch.losses,
            )
        )
        self.seconds += duration
        self._validate_if_due()

    def _make_room(self, error: Exception) -> bool:
        """Take a step back if it is memory that ran out, and a smaller batch is left."""
        from engine.training.devices import is_out_of_memory

        trainer = self.trainer
        if not is_out_of_memory(error):
            return False
        back = retreat(trainer.settings, trainer.n, micro_batch=trainer.micro_batch, worked=self._worked)
        if back is None:
            return False
        if back.micro_batch is not None:
            trainer.compute_in_pieces(back.micro_batch)
        trainer.change(back.settings)
        self._changed(back.settings, back.note, 0)
        return True

    # --- Settings -------------------------------------------------------------------------------

    def change(self, change: Change) -> None:
        """Put other settings in force, or say why they cannot be; only between groups."""
        try:
            note = self.trainer.change(change.settings)
        except SettingsError as error:
            self._recorder.write(Refused(detail=str(error), command=change.id))
            return
        self._changed(change.settings, note, change.id)

    def _changed(self, settings: VariantSettings, note: str, command: int) -> None:
        trainer = self.trainer
        self._recorder.write(
            Changed(
                generation=self._number,
                settings=settings,
                epoch=max(trainer.epoch, 1),
                batch=trainer.batches + 1,
                update=trainer.updates + 1,
                samples=trainer.samples,
                seconds=self.seconds,
                note=note,
                command=command,
            )
        )

    # --- Measuring ------------------------------------------------------------------------------

    @property
    def must_evaluate(self) -> bool:
        """An epoch has ended (or none begun), and was not measured yet."""
        return self.trainer.at_epoch_end and self._evaluated_epoch < self.trainer.epoch

    def evaluate(self, *, wholly: bool) -> None:
        """Measure on the held-out data, and on all training data if `wholly`, or while that costs little."""
        trainer = self.trainer
        self._evaluated_epoch, self._validated_update = trainer.epoch, trainer.updates
        loss = None
        if wholly:
            loss = trainer.full_loss()
        elif not self._full_losses.is_spent:
            with self._full_losses.spending():
                loss = trainer.full_loss()
        validation = trainer.validate()
        self._recorder.write(
            Evaluation(
                generation=self._number,
                epoch=trainer.epoch,
                batches=trainer.batches,
                updates=trainer.updates,
                samples=trainer.samples,
                seconds=self.seconds,
                full_loss=loss,
                validation_loss=None if validation is None else validation.loss,
                metrics={} if validation is None else validation.metrics,
            )
        )

    def _validate_if_due(self) -> None:
        """Between two epochs' ends, every so many updates."""
        trainer, every = self.trainer, self._validate_every
        if every is None or trainer.in_group or trainer.at_epoch_end or trainer.updates % every:
            return
        if trainer.updates == self._validated_update:
            return
        self._validated_update = trainer.updates
        measured = trainer.validate()
        assert measured is not None
        self._recorder.write(
            Validated(
                generation=self._number,
                epoch=trainer.epoch,
                batches=trainer.batches,
                updates=trainer.updates,
                samples=trainer.samples,
                seconds=self.seconds,
                loss=measured.loss,
                metrics=measured.metrics,
            )
        )
