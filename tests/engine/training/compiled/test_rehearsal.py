"""Rehearsals: what an update changes outside its tensors is a reason not to compile."""

import contextlib
import random
from pathlib import Path

import pytest
import torch
from captured_blocks import TapeRecorder
from torch import Tensor, nn
from torch.nn import functional
from traced_blocks import GraphProgram

from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.compiled import captured, rehearsal
from engine.training.compiled.build import rehearse
from engine.training.compiled.compiler import facts_of
from engine.training.compiled.rehearsal import Rehearsal
from engine.training.compiled.spec import BlockSpec, UnsuitedError
from engine.training.compiled.suitability import spec_of, updates_of_block
from engine.training.devices.graphs import Work
from engine.training.trainer import Trainer


class Counting(nn.Module):
    """A model with an average of its own, which does more than compute in one of several ways."""

    average: Tensor

    def __init__(self, way: str) -> None:
        super().__init__()
        self.layer, self.way, self.calls = nn.Linear(3, 1), way, 0
        self.last = torch.zeros(1)
        self.register_buffer("average", torch.zeros(1))

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.layer(inputs)
        match self.way:
            case "averages":
                self.average += output.detach().mean()
            case "replaces":
                self.average = self.average + output.detach().mean()
            case "counts":
                self.calls += 1
            case "keeps":
                self.last = output.detach().mean()
            case "draws":
                output = output * random.choice([1, 2])
        return output


def problem(way: str) -> Problem:
    inputs = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    return Problem(
        train=(inputs, inputs.sum(1, keepdim=True)),
        model=lambda: Counting(way),
        loss=functional.mse_loss,
    )


def spec(way: str) -> BlockSpec:
    settings = VariantSettings(batch_size=4)
    return spec_of(Trainer(problem(way), settings, 0, torch.device("cpu")))


@pytest.mark.parametrize(
    ("way", "reason"),
    [("counts", "model's calls"), ("keeps", r"model's \.last"), ("draws", "draws of Python")],
)
def test_changes_outside_tensors_are_reasons(way: str, reason: str) -> None:
    with pytest.raises(UnsuitedError, match=reason):
        Rehearsal(problem(way), spec(way), seed=0)


@pytest.mark.parametrize(
    ("way", "is_right"),
    [("computes", True), ("averages", True), ("replaces", True), ("computes", False)],
)
def test_a_program_is_compared_with_the_readable_step(
    way: str, is_right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have fewer updates than were asked for."""
    mine = Rehearsal(problem(way), spec(way), seed=0)
    smaller = spec(way).with_updates(2)
    made = mine.trace(smaller)
    program = GraphProgram(made, error=0.0 if is_right else 0.01)
    monkeypatch.setattr(rehearsal, "load_program", lambda *_: program)
    with contextlib.nullcontext() if is_right else pytest.raises(UnsuitedError, match="results"):
        mine.compare(mine.load(Path(), facts_of(smaller, made)))


@pytest.mark.parametrize("is_right", [True, False])
def test_a_capture_is_compared_with_the_readable_step(
    is_right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Frozen(TapeRecorder):
        def record(self, work: Work) -> Work:
            results = work()
            return lambda: results

    kind = TapeRecorder if is_right else Frozen
    monkeypatch.setattr(captured, "GraphRecorder", lambda device: kind())
    with contextlib.nullcontext() if is_right else pytest.raises(UnsuitedError, match="results"):
        made = rehearse(problem("computes"), spec("computes"), seed=0)
        assert made is not None
        assert (made.path, made.nodes > 10) == ("", True)
    assert rehearse(problem("computes"), spec("computes"), 0, lambda found: False) is None


@pytest.mark.parametrize(
    ("whole", "updates"), [(1, 1), (31, 31), (33, 11), (44, 11), (1000, 10), (1437, 13)]
)
def test_blocks_leave_few_updates_over(whole: int, updates: int) -> None:
    assert updates_of_block(whole) == updates
