"""The compiled steps that a worker has asked its session for, and the answers."""

from __future__ import annotations

from queue import Empty
from typing import TYPE_CHECKING, Protocol

from engine.worker.compiling.demand import EagerSpeed
from engine.worker.mailbox import Mailbox
from engine.worker.protocol import BuildAnswer, BuildWanted

if TYPE_CHECKING:
    from engine.training.execution.block import UpdateBlock
    from engine.training.trainer import Trainer


class Library(Protocol):
    """Makes and loads compiled steps."""

    def specify(
        self, trainer: Trainer, most: int | None = None, updates: int = 0
    ) -> tuple[bytes, str]:
        """The description of a compiled step; or b"" and the reason why there can be none."""

    def specify_end(self, trainer: Trainer, spec: bytes) -> tuple[bytes, int]:
        """The description and the samples of one for the ends of epochs; b"" if needless."""

    def load(self, answer: BuildAnswer, trainer: Trainer) -> UpdateBlock:
        """Load a compiled step."""


class Builds:
    """Compiled steps by what they compute, as far as the session has answered."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._answers: dict[bytes, BuildAnswer] = {}
        self._asked: set[bytes] = set()
        self.speeds: dict[bytes, EagerSpeed] = {}
        """Speed of the eager step with the settings of each compiled step."""

    @property
    def library(self) -> Library:
        """Makes and loads them; imports torch's part of it."""
        from engine.worker.compiling import library

        return library

    @property
    def has_any(self) -> bool:
        """True once an answer has come."""
        self._take()
        return bool(self._answers)

    def get(self, spec: bytes, least_operations: int = 0) -> BuildAnswer | None:
        """The answer, or None as long as there is none; asks for it the first time."""
        self._take()
        if spec not in self._asked:
            self._asked.add(spec)
            self._mailbox.send(BuildWanted(spec=spec, least_operations=least_operations))
        return self._answers.get(spec)

    def give_up(self, spec: bytes, reason: str) -> None:
        """Do not use this one again."""
        self._answers[spec] = BuildAnswer(spec=spec, reason=reason)

    def _take(self) -> None:
        try:
            while True:
                answer = self._mailbox.answers.get_nowait()
                self._answers[answer.spec] = answer
        except Empty:
            pass
