"""A worker's device and problem: taken and opened once, for every generation that it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.settings import VariantSettings
from engine.worker.protocol import WorkerTask

if TYPE_CHECKING:
    from engine.problem import Problem
    from engine.training.devices.process import TakenDevice
    from engine.training.trainer import Trainer


class Workplace:
    """Makes the trainers of a worker. Imports torch when it makes the first one."""

    def __init__(self, task: WorkerTask) -> None:
        self._task = task
        self._opened: tuple[TakenDevice, Problem] | None = None

    def is_lost(self, error: BaseException) -> bool:
        """True if, after this error, the process can never use its device again."""
        from engine.training.devices.errors import is_lost_context
        from engine.training.devices.process import answers

        return is_lost_context(error) or not (
            self._opened is None or answers(self._opened[0].device)
        )

    def make_trainer(
        self, settings: VariantSettings, generation: int, epochs: int
    ) -> tuple[Trainer, TakenDevice]:
        """A trainer at the first weights, and its device; `epochs` are those planned.

        Raises whatever the user's problem raises.
        """
        from engine.problems.opening import make_trainer

        if self._opened is None:
            self._opened = self._open()
        taken, problem = self._opened
        trainer = make_trainer(
            problem,
            settings,
            self._task.run,
            taken.device,
            generation=generation,
            sharing=taken.sharing,
            epochs=epochs,
        )
        return trainer, taken

    def _open(self) -> tuple[TakenDevice, Problem]:
        from engine.problems.opening import open_on_device

        task = self._task
        return open_on_device(
            task.run, task.device, task.threads, devices=task.devices, stored=task.stored
        )
