"""The compiled step of the short group that ends an epoch: asked for once the other is in use.

It is a program of its own, so that the one of whole groups need not wait for it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.worker.compiling.builds import Builds
from engine.worker.compiling.loading import Loading

if TYPE_CHECKING:
    from engine.training.trainer import Trainer


class EndStep:
    """Brings in the compiled step of the ends of epochs, for some settings."""

    def __init__(self, builds: Builds) -> None:
        self._builds = builds
        self._spec: bytes | None = None
        self._samples = 0
        self._loading: Loading | None = None
        self._is_settled = False
        """True if nothing is to be done any more."""

    def look(self, trainer: Trainer, beside: bytes) -> None:
        """Ask for it or put it to use, between two groups; `beside`: the spec of the other one."""
        if self._is_settled:
            return
        if self._spec is None:
            self._spec, self._samples = self._builds.library.specify_end(trainer, beside)
        answer = self._builds.get(self._spec) if self._spec else None
        if not self._spec or (answer is not None and not answer.key):
            self._is_settled = True
        elif answer is not None and self._loading is None:
            load = partial(self._builds.library.load, answer, trainer)
            self._loading = Loading(load, has_file=bool(answer.path))
        elif self._loading is not None and self._loading.has_ended:
            self._is_settled = True
            self._put_to_use(trainer, self._loading)

    def _put_to_use(self, trainer: Trainer, loading: Loading) -> None:
        from engine.training.execution.calls import EndBlock

        if loading.block is not None and loading.block.is_ready:
            trainer.use(trainer.block, EndBlock(loading.block, self._samples))
