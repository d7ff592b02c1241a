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
        self._loaded: dict[bytes, tuple[Trainer, UpdateBlock]] = {}
        self.missing = ""
        """Why a compiled step is missing, in one line; "" if none is."""

    def use(self, trainer: Trainer, updates: int, *, has_end: bool) -> None:
        """Let a trainer use the compiled step of its settings with so many updates in a call.

        `has_end`: also that of the short groups that end epochs. Raises NotBuiltYetError.
        """
        from engine.training.execution.calls import EndBlock

        library, end = self._builds.library, None
        spec, reason = library.specify(trainer, updates=updates)
        if not spec:
            self.missing = reason
        block = self._get(trainer, spec) if spec else None
        if block is not None and has_end:
            spec, samples = library.specify_end(trainer, spec)
            found = self._get(trainer, spec) if spec else None
            end = None if found is None else EndBlock(found, samples)
        trainer.use(block, end)

    def _get(self, trainer: Trainer, spec: bytes) -> UpdateBlock | None:
        loaded = self._loaded.get(spec)
        if loaded is not None and loaded[0] is trainer:
            return loaded[1]
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
        self._loaded[spec] = trainer, block
        return block
