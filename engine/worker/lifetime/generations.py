"""Begins the generations of a variant, or goes on with one that an earlier worker trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.log.records import Planned, State
from engine.settings import VariantSettings
from engine.worker.evaluation import Evaluator
from engine.worker.lifetime.workplace import Workplace
from engine.worker.protocol import WorkerTask
from engine.worker.recording.recorder import Recorder

if TYPE_CHECKING:
    from engine.training.trainer import Trainer
    from engine.worker.checkpoints.past import Past
    from engine.worker.measuring.measurer import Measurer


class Generations:
    """Makes trainers, records that they begin, and has them evaluated before they train."""

    def __init__(
        self,
        task: WorkerTask,
        workplace: Workplace,
        recorder: Recorder,
        evaluator: Evaluator,
        measurer: Measurer,
    ) -> None:
        self._task = task
        self._workplace = workplace
        self._recorder = recorder
        self._evaluator = evaluator
        self._measurer = measurer

    def begin(self, settings: VariantSettings, number: int, planned: Planned) -> Trainer:
        """A generation at its initial weights; `planned` has the command that asked for it.

        The first one opens the problem.
        """
        trainer, taken = self._workplace.make_trainer(settings, number, planned.epochs)
        self._recorder.write_start(
            trainer,
            threads=self._task.threads,
            epochs=planned.epochs,
            pace=planned.pace,
            audit=self._task.run.audit,
            command=planned.command,
            device=taken.label,
            device_note=taken.note,
        )
        return trainer

    def evaluate_first(self, trainer: Trainer) -> None:
        """Evaluate and record the initial weights."""
        self._evaluator.begin()
        self._evaluator.evaluate_first(trainer)
        self._begin_measuring(trainer)

    def resume(self, past: Past, show: Callable[[str], None]) -> Trainer:
        """The generation of an earlier worker, at the end of its log."""
        from engine.training.schedule import NO_LIMIT
        from engine.worker.checkpoints.resuming import resume_trainer

        def make(settings: VariantSettings, epochs: int, micro_batch: int | None) -> Trainer:
            trainer, _ = self._workplace.make_trainer(settings, past.generation, epochs)
            trainer.micro_batch = micro_batch or NO_LIMIT
            return trainer

        repeated = resume_trainer(past, Path(self._task.log), make, show)
        self._recorder.write(repeated.resumed)
        return repeated.trainer

    def evaluate_on(self, trainer: Trainer, past: Past, planned: Planned) -> None:
        """Go on evaluating where an earlier worker stopped; record a new plan if it differs."""
        self._evaluator.begin()
        if past.evaluated_epoch < 0:
            self._evaluator.evaluate_first(trainer)
        else:
            self._evaluator.resume(
                evaluated_epoch=past.evaluated_epoch, validated_update=past.validated_update
            )
        self._begin_measuring(trainer)
        self._evaluator.validate_if_due(trainer)
        if planned.epochs != past.epochs:
            trainer.plan(planned.epochs)
            self._recorder.write(planned)

    def end_of(self, trainer: Trainer, past: Past, epochs: int) -> State | None:
        """The state in which a resumed training has ended already; None if it can go on."""
        if past.state is State.DIVERGED:
            return State.DIVERGED
        has_ended = trainer.at_epoch_end and trainer.epoch >= epochs
        return State.FINISHED if has_ended and not self._evaluator.is_due(trainer) else None

    def _begin_measuring(self, trainer: Trainer) -> None:
        self._measurer.begin()
        self._recorder.begin_trail(trainer)
