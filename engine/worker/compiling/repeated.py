"""The compiled steps of a training that is repeated as its log tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.worker.compiling.builds import Builds

if TYPE_CHECKING:
    from engine.training.execution.block import UpdateBlock
    from engine.training.trainer import Trainer


class NotBuiltYetError(Exception):
    """The compiled step is being built; ask again later."""


class RepeatedSteps:
    """Loads the compiled steps that trained before; without one, the eager step must do."""

    def __init__(self, builds: Builds) -> None:
        self._builds = builds
        self._loaded: tuple[Trainer, bytes, UpdateBlock] | None = None
        self.missing = ""
        """Why a compiled step is missing, in one line; "" if none is."""

    def get(self, trainer: Trainer, updates: int) -> UpdateBlock | None:
        """The compiled step of these settings with so many updates in a call; None without one.

        Raises NotBuiltYetError.
        """
        spec, reason = self._builds.library.specify(trainer, updates=updates)
        if not spec:
            self.missing = reason
            return None
        if self._loaded is not None and self._loaded[:2] == (trainer, spec):
            return self._loaded[2]
        answer = self._builds.get(spec)
        if answer is None:
            raise NotBuiltYetError
        if not answer.key:
            self.missing = answer.reason
            return None
        try:
            block = self._builds.library.load(answer, trainer)
        except Exception as error:
            self.missing = f"it could not be loaded: {type(error).__name__}: {error}"
            self._builds.give_up(spec, self.missing)
            return None
        self._loaded = trainer, spec, block
        return block
