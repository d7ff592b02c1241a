"""Weights as safetensors files: loadable by two lines, tied ones under each name."""

from pathlib import Path

import pytest
import torch
from lineage import chunk, origin, started
from msgspec.structs import replace
from safetensors.torch import load_file
from torch import nn

from engine.checkpoint.checkpoint import Checkpoint, capture
from engine.checkpoint.export import last_checkpoint, weights_of, write_weights
from engine.checkpoint.file import CheckpointError
from engine.checkpoint.store import CheckpointStore
from engine.log.writing.writer import LogWriter
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

LAST = 10**12


class Tied(nn.Module):
    """Tied and transposed weights, a buffer that is saved and one that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(3)
        self.turned = nn.Parameter(torch.randn(2, 3).t())
        self.register_buffer("scratch", torch.ones(2), persistent=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.norm(self.second(self.first(inputs))) @ self.turned


def trainer() -> Trainer:
    inputs = torch.randn(20, 3)
    problem = Problem(train=(inputs, inputs[:, :2]), model=Tied, loss=nn.MSELoss())
    return Trainer(problem, VariantSettings(batch_size=5), 0, torch.device("cpu"), epochs=9)


def test_a_model_loads_them_strictly(tmp_path: Path) -> None:
    training, store = trainer(), CheckpointStore(tmp_path / "1-a.gdlog")
    for _ in range(3):
        training.advance(2)
        store.write(capture(training))
    found, refused = last_checkpoint({"a": tmp_path / "1-a.gdlog"}, "a", LAST)
    assert not refused
    path = tmp_path / "weights.safetensors"
    size = write_weights(path, weights_of(found), {"variant": "a"})
    assert path.stat().st_size == size
    model = Tied()
    model.load_state_dict(load_file(path))
    expected = training.model.state_dict()
    assert all(torch.equal(each, expected[name]) for name, each in model.state_dict().items())
    earlier, _ = last_checkpoint({"a": tmp_path / "1-a.gdlog"}, "a", 5)
    assert earlier.batches == 4
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_without_a_checkpoint_the_reason_is_given(tmp_path: Path) -> None:
    log = tmp_path / "1-a.gdlog"
    with pytest.raises(CheckpointError, match="it has no checkpoints"):
        last_checkpoint({"a": log}, "a", LAST)
    training = trainer()
    training.advance(4)
    stored = CheckpointStore(log).write(capture(training))
    with pytest.raises(CheckpointError, match="its first checkpoint is at batch 4"):
        last_checkpoint({"a": log}, "a", 3)
    stored.path.write_bytes(stored.path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is cut short"):
        last_checkpoint({"a": log}, "a", LAST)


def test_checkpoints_of_the_past_are_those_of_a_variant(tmp_path: Path) -> None:
    """Two rewinds and a fork: what was left by a rewind does not count."""
    logs = {name: tmp_path / f"{number}-{name}.gdlog" for number, name in ((1, "a"), (2, "b"))}
    with LogWriter(logs["a"]) as log:
        log.append(started(1))
        log.append(chunk(1, 20, 1))
        log.append(started(2, origin(12, 1)))
        log.append(chunk(13, 30, 2))
        log.append(started(3, origin(25, 2)))
        log.append(chunk(26, 28, 3))
    with LogWriter(logs["b"]) as log:
        log.append(started(1, origin(15, 2, "a")))
    training = trainer()
    checkpoint = capture(training)
    for generation, batches in ((1, 4), (1, 10), (1, 18), (2, 14), (2, 24), (2, 28)):
        place = replace(checkpoint.header.place, batches=batches)
        header = replace(checkpoint.header, place=place, generation=generation)
        CheckpointStore(logs["a"]).write(Checkpoint(header, checkpoint.tensors))

    def found(variant: str, batches: int) -> tuple[int, int]:
        header = last_checkpoint(logs, variant, batches)[0].header
        return header.generation, header.place.batches

    assert [found("a", each) for each in (LAST, 24, 20, 13, 9)] == [
        (2, 24), (2, 24), (2, 14), (1, 10), (1, 4),
    ]  # fmt: skip
    assert [found("b", each) for each in (LAST, 14, 13)] == [(2, 14), (2, 14), (1, 10)]
    with pytest.raises(CheckpointError, match="its first checkpoint is at batch 4"):
        found("b", 3)
    (tmp_path / "1-a.gdlog").write_bytes(b"damaged")
    assert found("a", LAST) == (2, 28)  # all that is left to go by
