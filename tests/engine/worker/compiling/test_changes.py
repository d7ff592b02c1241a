"""Random changes of settings while compiled steps come and go: the log of the eager step.

The compiled steps are traces of the readable step, which need no compiler.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pytest
import torch
from compiling import AnsweringMailbox
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from scripted_worker import rows, work
from torch import nn
from torch.nn import functional
from traced_blocks import TracedBuilds

from engine.checkpoint.checkpoint import restore
from engine.checkpoint.store import CheckpointStore
from engine.log.commands import Change
from engine.log.records import AnyRecord, Changed, Chunk
from engine.problem import Problem
from engine.problems import registry
from engine.settings import Compilation, LrScaling, LrSchedule, VariantSettings
from engine.training.trainer import Trainer
from engine.worker.compiling import demand, library, step

EPOCHS: Final = 8
N: Final = 29
GENERATOR = torch.Generator().manual_seed(1)
INPUTS = torch.randn(N, 3, generator=GENERATOR, dtype=torch.float64)
CLASSES = torch.randint(0, 3, (N,), generator=GENERATOR)
CLASSES[::3] = -100  # ignored, so that losses have weights, some of them 0
PROBLEM = Problem(
    train=(INPUTS, CLASSES),
    model=lambda: nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.2), nn.Linear(3, 3)).double(),
    loss=functional.cross_entropy,
)

recipes = st.builds(
    lambda kind, **others: VariantSettings(optimizer=kind[0], momentum=kind[1], **others),
    kind=st.sampled_from([("sgd", 0.0), ("sgd", 0.5), ("sgd", 0.9), ("adamw", 0.0)]),
    batch_size=st.sampled_from([1, 4, 10]),
    lr=st.floats(0.001, 0.1),
    accumulation_steps=st.sampled_from([1, 2]),
    clip=st.sampled_from([None, 0.05, 0.5]),
    schedule=st.sampled_from([LrSchedule.CONSTANT, LrSchedule.COSINE]),
    lr_scaling=st.sampled_from([LrScaling.NONE, LrScaling.LINEAR]),
)
plans = st.lists(st.tuples(st.integers(1, 30), recipes), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than these updates."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def builds() -> Iterator[TracedBuilds]:
    """Calls of at most two updates, from the first update on."""
    made = TracedBuilds(PROBLEM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", lambda name, seed, data: PROBLEM)
        patch.setattr(demand, "FIRST_SECONDS", 0.0)
        patch.setattr(step, "most_updates", lambda speed: 2)
        patch.setattr(library, "load", made.load)
        yield made


def eager(first: VariantSettings, changes: Sequence[Changed]) -> tuple[list[AnyRecord], Trainer]:
    """The chunks and the trainer of the eager step, with these changes before the same batches.

    The trainer refuses a change amid a group.
    """
    trainer, todo = Trainer(PROBLEM, first, 0, torch.device("cpu"), epochs=EPOCHS), [*changes]
    chunks: list[AnyRecord] = []
    while True:
        while todo and todo[0].batch == trainer.batches + 1:
            trainer.change(todo.pop(0).settings)
        if trainer.epoch == EPOCHS and trainer.at_epoch_end:
            assert not todo
            return chunks, trainer
        until = todo[0].batch - 1 if todo else 10**6
        chunks.append(trainer.advance(until - trainer.batches))


def at_end(log: Path) -> Trainer:
    """A trainer with the weights of the last checkpoint."""
    *_, last = CheckpointStore(log).stored()
    checkpoint = CheckpointStore.read(last)
    settings = checkpoint.header.settings
    trainer = Trainer(PROBLEM, settings, 0, torch.device("cpu"), epochs=EPOCHS)
    restore(trainer, checkpoint)
    return trainer


def test_the_log_and_the_weights_are_those_of_the_eager_step(builds: TracedBuilds) -> None:
    """Each change is in force from one group boundary on, whichever step trains around it."""
    compiled = 0

    @limits(max_examples=8)
    @given(recipes, plans)
    def check(first: VariantSettings, plan: list[tuple[int, VariantSettings]]) -> None:
        nonlocal compiled
        commands, batches = [], 0
        for number, (later, settings) in enumerate(plan, 1):
            batches += later
            commands.append((batches, Change(id=number, settings=settings)))
        with TemporaryDirectory() as folder:
            log = Path(folder, "a.gdlog")
            records = work(
                log,
                *commands,
                epochs=EPOCHS,
                settings=first,
                compile=Compilation.ON,
                make_mailbox=partial(AnsweringMailbox, answer=builds.answer),
            )
            changes = [each for each in records if isinstance(each, Changed)]
            expected, trainer = eager(first, changes)
            mine = at_end(log)
        numbers = [each.command for each in changes]
        assert numbers == sorted({*numbers})
        logged, theirs = rows(records), rows(expected)
        assert [row[:-1] for row in logged] == [row[:-1] for row in theirs]
        assert losses(records) == pytest.approx(losses(expected), rel=1e-6)
        assert mine.position.updates == trainer.updates
        assert mine.weights() == pytest.approx(trainer.weights(), rel=1e-10, abs=1e-13)
        compiled += sum(each.compiled > 0 for each in records if isinstance(each, Chunk))

    check()
    assert compiled


def losses(records: Sequence[AnyRecord]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    chunks = (each.losses for each in records if isinstance(each, Chunk))
    return np.frombuffer(b"".join(chunks), "<f4")
