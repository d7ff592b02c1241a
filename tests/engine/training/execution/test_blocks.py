"""Training in blocks against training batch by batch: one log, whatever changes in between."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from eager_block import EagerBlock
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from msgspec.structs import replace
from torch import nn
from torch.nn import functional

from engine.log.records import Chunk
from engine.problem import Problem
from engine.settings import FULL, LrScaling, LrSchedule, VariantSettings
from engine.training.compiled.suitability import short_group
from engine.training.execution.calls import EndBlock
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
N = 53
GENERATOR = torch.Generator().manual_seed(1)
INPUTS = torch.randn(N, 3, generator=GENERATOR, dtype=torch.float64)
TARGET = torch.randint(0, 3, (N,), generator=GENERATOR)
TARGET[::5] = -100  # ignored, so that losses have weights, some of them 0

LOGITS = Problem(
    train=(INPUTS, INPUTS.sum(1).sigmoid()),
    model=lambda: nn.Sequential(nn.Linear(3, 1).double(), nn.Flatten(0)),
    loss=functional.binary_cross_entropy_with_logits,
)
CLASSES = Problem(
    train={"inputs": INPUTS, "labels": TARGET},
    model=lambda: _Named(),
    loss=functional.cross_entropy,
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than these updates."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class _Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3).double()

    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.linear(inputs)}


recipes = st.builds(
    VariantSettings,
    batch_size=st.sampled_from([1, 2, 3, 5, 8, FULL]),
    lr=st.sampled_from([0.01, 0.1]),
    accumulation_steps=st.sampled_from([1, 2, 3]),
    momentum=st.sampled_from([0.0, 0.9]),
    schedule=st.sampled_from([LrSchedule.CONSTANT, LrSchedule.COSINE]),
    warmup=st.sampled_from([0.0, 0.2]),
    clip=st.sampled_from([None, 0.5]),
    drop_last=st.just(False),
    lr_scaling=st.sampled_from([LrScaling.NONE, LrScaling.SQRT]),
    batch_warmup=st.sampled_from([0.0, 0.4]),
)
pieces = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), min_size=3, max_size=12)


def rows(chunks: Sequence[Chunk]) -> list[tuple[Any, ...]]:
    """All that a log says of each batch, whatever chunks it is in."""
    found = []
    for chunk in chunks:
        losses, lrs = np.frombuffer(chunk.losses, "<f4"), chunk.lrs
        for k, loss in enumerate(losses):
            update = (chunk.in_update + k) // chunk.accumulation_steps
            is_last = k == len(losses) - 1
            found.append(
                (
                    *(chunk.epoch, chunk.batch + k, chunk.update + update),
                    chunk.samples + k * chunk.batch_size,
                    chunk.last_batch_size if is_last else chunk.batch_size,
                    *(chunk.accumulation_steps, lrs[update if len(lrs) > 1 else 0]),
                    *(k in chunk.weightless, float(loss)),
                )
            )
    return found


def in_blocks(trainer: Trainer, plan: Sequence[tuple[int, int]], change: Any) -> list[Chunk]:
    """The chunks of a training that uses blocks if it can, through the changes of settings."""
    chunks = []
    for most, updates in plan:
        if not trainer.in_group:
            change(trainer)
            end = EndBlock(EagerBlock(trainer, 1), short_group(trainer)) if updates % 2 else None
            trainer.use(EagerBlock(trainer, updates), end)
        chunks.append(trainer.advance(trainer.without_remainder(most)))
    return chunks


@pytest.mark.parametrize("problem", [LOGITS, CLASSES], ids=["means", "weights"])
@limits(max_examples=8)
@given(recipes, st.lists(recipes, min_size=1, max_size=3), pieces)
def test_the_log_is_that_of_the_eager_step(
    problem: Problem, first: VariantSettings, later: list[VariantSettings], plan: Any
) -> None:
    changes: dict[int, VariantSettings] = {}
    coming = iter(later)

    def change(trainer: Trainer) -> None:
        if len(changes) < len(later) and trainer.batches >= 15 * (len(changes) + 1):
            settings = next(coming)
            changes[trainer.batches] = settings
            trainer.change(settings)

    blocks = Trainer(problem, first, 0, CPU, epochs=4)
    logged = rows(in_blocks(blocks, plan, change))
    eager = Trainer(problem, first, 0, CPU, epochs=4)
    chunks = []
    while eager.batches < blocks.batches:
        if eager.batches in changes:
            eager.change(changes[eager.batches])
        until = min([each for each in changes if each > eager.batches], default=blocks.batches)
        chunks.append(eager.advance(until - eager.batches))
    assert logged == rows(chunks)
    assert (eager.updates, eager.samples) == (blocks.updates, blocks.samples)
    assert eager.in_group == blocks.in_group
    if not eager.in_group:
        assert eager.position.in_epoch == blocks.position.in_epoch
    assert np.array_equal(eager.weights(), blocks.weights())


def test_a_chunk_says_how_many_updates_a_call_had() -> None:
    trainer = Trainer(LOGITS, VariantSettings(batch_size=4, accumulation_steps=2), 0, CPU)
    trainer.use(EagerBlock(trainer, 2))
    most = (3, 7, 8, 13, 14, 90)
    assert [trainer.without_remainder(each) for each in most] == [3, 4, 8, 13, 14, 14]
    chunk = trainer.advance(90)  # 12 batches in three calls, then a group of one and a bit
    assert (chunk.compiled, chunk.batches) == (2, 14)
    assert trainer.at_epoch_end
    assert trainer.advance(3).compiled == 0  # a call has no room


def test_the_short_group_at_the_end_has_a_block_of_its_own() -> None:
    settings = VariantSettings(batch_size=4, accumulation_steps=3)
    trainer, eager = (Trainer(LOGITS, settings, 0, CPU) for _ in range(2))
    end = EagerBlock(trainer, 1)
    trainer.use(EagerBlock(trainer, 2), EndBlock(end, short_group(trainer)))
    chunks = [trainer.advance(13), trainer.advance(90)]  # 14 batches: an epoch with a group of 5
    assert [each.compiled_end for each in chunks] == [False, False]
    chunks.append(trainer.advance(90))
    assert (chunks[2].compiled, chunks[2].compiled_end, end.calls) == (2, True, 1)
    assert rows(chunks) == rows([eager.advance(13), eager.advance(90), eager.advance(90)])


def test_it_is_given_up_for_settings_that_it_is_not_made_for() -> None:
    trainer = Trainer(LOGITS, VariantSettings(batch_size=4), 0, CPU)
    block = EagerBlock(trainer, 2)
    for change, suits in [
        ({"lr": 0.5}, True),
        ({"warmup": 0.5}, True),
        ({"lr_scaling": LrScaling.LINEAR}, True),
        ({"batch_size": 8}, False),
        ({"accumulation_steps": 2}, False),
        ({"momentum": 0.5}, False),
        ({"optimizer": "adam"}, False),
        ({"clip": 1.0}, False),
    ]:
        trainer.use(block)
        settings = replace(trainer.settings, **{"momentum": 0.0, **change})  # type: ignore[arg-type]
        trainer.change(settings)
        assert (trainer.block is block) is suits, change
        trainer.change(VariantSettings(batch_size=4))


@pytest.mark.parametrize(("call", "batches"), [(1, 12), (3, 8)])
def test_memory_that_runs_out_in_a_call_costs_no_batch(call: int, batches: int) -> None:
    settings = VariantSettings(batch_size=2, schedule=LrSchedule.COSINE)
    trainer = Trainer(LOGITS, settings, 0, CPU, epochs=2)
    trainer.use(EagerBlock(trainer, 4, fails_at=call))
    eager = Trainer(LOGITS, settings, 0, CPU, epochs=2)
    chunks = [trainer.advance(12)]
    assert chunks[0].batches == batches
    assert trainer.block is None
    chunks.append(trainer.advance(5))
    assert rows(chunks) == rows([eager.advance(batches), eager.advance(5)])


def test_losses_end_with_the_first_that_is_not_finite() -> None:
    inputs = INPUTS.clone()
    inputs[40] = torch.inf
    problem = Problem(train=(inputs, INPUTS.sum(1)), model=LOGITS.model, loss=nn.MSELoss())
    eager = Trainer(problem, VariantSettings(batch_size=1), 0, CPU)
    blocks = Trainer(problem, VariantSettings(batch_size=1), 0, CPU)
    blocks.use(EagerBlock(blocks, 8))
    assert rows([blocks.advance(N)])[:-1] == rows([eager.advance(N)])[:-1]
    assert not blocks.last_loss_is_finite
    assert (blocks.batches, blocks.updates) == (eager.batches, eager.updates)


def test_a_block_begins_between_groups() -> None:
    trainer = Trainer(LOGITS, VariantSettings(batch_size=4, accumulation_steps=3), 0, CPU)
    trainer.advance(1)
    with pytest.raises(RuntimeError, match="between groups"):
        trainer.use(EagerBlock(trainer, 2))
    trainer.use(None)
