"""What a worker does beside training: measurements within their budget, and the trail of weights.

Sees the trainer and the state that training is in; says when it wants a turn. Changes neither.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.commands import Measure, SetMeasuring
from engine.log.records import Refused, State
from engine.measure.weights_log import TrailWriter, trail_path
from engine.worker.measuring import Measurer

if TYPE_CHECKING:
    from engine.worker.generation import Generation
    from engine.worker.protocol import WorkerTask
    from engine.worker.recorder import Recorder

_WITHOUT_WEIGHTS: Final = (State.STARTING, State.DIVERGED, State.FAILED, State.OUT_OF_MEMORY)
"""In these there are no weights, or none worth looking at."""


class Observer:
    """Looks at one variant's training, generation after generation."""

    def __init__(self, task: WorkerTask, recorder: Recorder) -> None:
        self._recorder = recorder
        self._path = trail_path(Path(task.log))
        self._measurer = Measurer(recorder.write, is_on=task.measuring)
        self._trail: TrailWriter | None = None
        self._looked_at = 0.0

    def begin(self, generation: Generation) -> None:
        """Another generation, at its first weights."""
        self._measurer.begin()
        self._trail = TrailWriter(self._path, len(generation.trainer.weights()))
        with contextlib.suppress(OSError):  # a disk that is full has the log to say so
            self._trail.begin()
        self.note(generation, State.RUNNING)

    def note(self, generation: Generation, state: State) -> None:
        """Training got this far: keep the weights now and then; at the end keep and measure them."""
        trainer, position = generation.trainer, generation.position
        is_last = state is State.FINISHED
        if is_last and self._measurer.is_on:
            self._measurer.ask()
        if self._trail is None or not (is_last or self._trail.is_due(trainer.updates)):
            return
        with contextlib.suppress(OSError):
            self._trail.add(
                position.generation, trainer.updates, trainer.samples, position.seconds, trainer.weights()
            )

    def obey(self, command: Measure | SetMeasuring, state: State) -> None:
        """Measure now, or from now on, or no more."""
        if isinstance(command, SetMeasuring):
            self._measurer.set_on(command.is_on, command.id)
        elif self._trail is None or state in _WITHOUT_WEIGHTS:
            self._recorder.write(Refused(detail=f"nothing to measure: it is {state}", command=command.id))
        else:
            self._measurer.ask(command.id)

    def wait(self, state: State, generation: Generation | None) -> float | None:
        """Seconds until there is something to measure; None: there is nothing."""
        if generation is None or self._recorder.is_blocked or state in _WITHOUT_WEIGHTS:
            return None
        return self._measurer.wait(generation.trainer.updates, trains=state is State.RUNNING)

    def look(self, state: State, generation: Generation | None) -> None:
        """Do one slice of measuring, if it is time for one; its own time is no training time."""
        if state is State.RUNNING:
            self._measurer.pay(time.perf_counter() - self._looked_at)
        if generation is not None and self.wait(state, generation) == 0.0:
            self._measurer.work(generation.trainer, generation.position)
        self._looked_at = time.perf_counter()
