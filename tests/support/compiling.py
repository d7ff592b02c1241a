"""A worker whose compiled steps are blocks of the eager step, built by nobody."""

from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from eager_block import EagerBlock
from scripted_worker import ScriptedMailbox

from engine.log.commands import AnyCommand
from engine.training.compiled.suitability import short_group
from engine.training.trainer import Trainer
from engine.worker.compiling import library
from engine.worker.protocol import BuildAnswer, BuildWanted

Answer = Callable[[BuildWanted], BuildAnswer | None]


def built(note: BuildWanted) -> BuildAnswer:
    """The answer of a session that has every compiled step."""
    return BuildAnswer(spec=note.spec, path="/", key="a key")


class AnsweringMailbox(ScriptedMailbox):
    """Also answers at once what the worker wants built."""

    def __init__(
        self, log: Path, commands: list[tuple[int, AnyCommand]], stop: int, answer: Answer = built
    ) -> None:
        super().__init__(log, commands, stop)
        self.answers: SimpleQueue[BuildAnswer] = SimpleQueue()
        self.wanted: list[BuildWanted] = []
        self._answer = answer

    def send(self, note: object) -> None:
        if isinstance(note, BuildWanted):
            self.wanted.append(note)
            if (answer := self._answer(note)) is not None:
                self.answers.put(answer)


def use_eager_blocks(monkeypatch: pytest.MonkeyPatch, updates: int, error: float = 0.0) -> None:
    """Let blocks of so many updates of the eager step, with this error, stand for compiled ones."""

    def specify(trainer: Trainer, most: int | None = None, **exactly: int) -> tuple[bytes, str]:
        shape = trainer.resolved.batch_size, trainer.resolved.accumulation_steps
        recipe = trainer.settings.optimizer, trainer.settings.clip is None
        return repr((*shape, *recipe, exactly.get("updates", updates))).encode(), ""

    def specify_end(trainer: Trainer, spec: bytes) -> tuple[bytes, int]:
        return spec + b"its end", short_group(trainer)

    def load(answer: BuildAnswer, trainer: Trainer) -> Any:
        return EagerBlock(trainer, updates, error=error)

    monkeypatch.setattr(library, "specify", specify)
    monkeypatch.setattr(library, "specify_end", specify_end)
    monkeypatch.setattr(library, "load", load)
