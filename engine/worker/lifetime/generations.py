"""Begins the generations of a variant, or goes on with one that an earlier worker trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from engine.log.records import Planned, Point, State
from engine.settings import VariantSettings
from engine.worker.compiling.builds import Builds
from engine.worker.compiling.repeated import RepeatedSteps
from engine.worker.evaluation import Evaluator
from engine.worker.lifetime.workplace import Workplace
from engine.worker.protocol import WorkerTask
from engine.worker.recording.recorder import Recorder

if TYPE_CHECKING:
    from engine.log.lineage.past import Past
    from engine.log.lineage.points import Reached
    from engine.training.devices.process import TakenDevice
    from engine.training.trainer import Trainer
    from engine.worker.checkpoints.resuming import Repetition
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
        builds: Builds,
    ) -> None:
        self._task = task
        self._workplace = workplace
        self._recorder = recorder
        self._evaluator = evaluator
        self._measurer = measurer
        self._builds = builds

    def begin(self, settings: VariantSettings, number: int, planned: Planned) -> Trainer:
        """A generation at its initial weights; `planned` has the command that asked for it.

        The first one opens the problem.
        """
        trainer, taken = self._workplace.make_trainer(settings, number, planned.epochs)
        self._write_start(trainer, planned, taken)
        return trainer

    def _write_start(
        self,
        trainer: Trainer,
        planned: Planned,
        taken: TakenDevice,
        reached: Reached | None = None,
    ) -> None:
        self._recorder.write_start(
            trainer,
            threads=self._task.threads,
            epochs=planned.epochs,
            pace=planned.pace,
            audit=self._task.run.audit,
            command=planned.command,
            device=taken.label,
            device_note=taken.note,
            reached=reached,
        )

    def evaluate_first(self, trainer: Trainer) -> None:
        """Evaluate and record the initial weights."""
        self._evaluator.begin()
        self._evaluator.evaluate_first(trainer)
        self._begin_measuring(trainer)

    def find(self, point: Point) -> Reached:
        """The group boundary at or before a point. Raises PointError."""
        from engine.log.lineage.points import find_point

        self._recorder.flush()
        variant = point.variant or self._task.variant.name
        return find_point(self._logs, variant, point.generation, point.batches)

    def begin_after(
        self, reached: Reached, settings: VariantSettings, number: int, planned: Planned
    ) -> Repetition:
        """A generation that goes on after a point, on its way there."""
        trainer, taken = self._workplace.make_trainer(settings, number, planned.epochs)
        if reached.variant == self._task.variant.name and reached.origin is not None:
            reached = replace(reached, origin=structs.replace(reached.origin, variant=""))
        self._write_start(trainer, planned, taken, reached)
        return self.resume(number)

    def resume(self, generation: int) -> Repetition:
        """A generation in the log, on its way to its last batch. Raises ProblemError."""
        from engine.log.lineage.points import PointError, route_to
        from engine.problem import ProblemError
        from engine.training.schedule import NO_LIMIT
        from engine.worker.checkpoints.resuming import Repetition

        def make(settings: VariantSettings, epochs: int, micro_batch: int | None) -> Trainer:
            trainer, _ = self._workplace.make_trainer(settings, generation, epochs)
            trainer.micro_batch = micro_batch or NO_LIMIT
            return trainer

        try:
            route = route_to(self._logs, self._task.variant.name, generation)
        except PointError as error:
            raise ProblemError(f"its training cannot go on: {error}") from None
        return Repetition(route, make, RepeatedSteps(self._builds))

    @property
    def _logs(self) -> dict[str, Path]:
        task = self._task
        logs = {name: Path(log) for name, log in task.logs.items()}
        return logs | {task.variant.name: Path(task.log)}

    def arrive(self, repetition: Repetition, planned: Planned) -> Trainer:
        """The trainer of a repetition at its end, evaluated; records a new plan if it differs."""
        trainer, past = repetition.trainer, repetition.past
        self._recorder.write(repetition.resumed)
        self._evaluator.begin()
        if past.evaluated_epoch < 0:
            self._evaluator.evaluate_first(trainer)
        else:
            self._evaluator.resume(
                evaluated_epoch=past.evaluated_epoch, validated_update=past.validated_update
            )
        self._begin_measuring(trainer)
        self._evaluator.validate_if_due(trainer)
        if planned.epochs != trainer.epochs:
            trainer.plan(planned.epochs)
            self._recorder.write(planned)
        return trainer

    def end_of(self, trainer: Trainer, past: Past, epochs: int) -> State | None:
        """The state in which a resumed training has ended already; None if it can go on."""
        if past.state is State.DIVERGED:
            return State.DIVERGED
        has_ended = trainer.at_epoch_end and trainer.epoch >= epochs
        return State.FINISHED if has_ended and not self._evaluator.is_due(trainer) else None

    def _begin_measuring(self, trainer: Trainer) -> None:
        self._measurer.begin()
        self._recorder.begin_trail(trainer)
