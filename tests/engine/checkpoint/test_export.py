"""Weights as safetensors files: loadable by two lines, tied ones under each name."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from engine.checkpoint.checkpoint import capture
from engine.checkpoint.export import last_checkpoint, weights_of, write_weights
from engine.checkpoint.file import CheckpointError
from engine.checkpoint.store import CheckpointStore
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
    found, refused = last_checkpoint(tmp_path / "1-a.gdlog", LAST)
    assert not refused
    path = tmp_path / "weights.safetensors"
    size = write_weights(path, weights_of(found), {"variant": "a"})
    assert path.stat().st_size == size
    model = Tied()
    model.load_state_dict(load_file(path))
    expected = training.model.state_dict()
    assert all(torch.equal(each, expected[name]) for name, each in model.state_dict().items())
    earlier, _ = last_checkpoint(tmp_path / "1-a.gdlog", 5)
    assert earlier.batches == 4
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_without_a_checkpoint_the_reason_is_given(tmp_path: Path) -> None:
    log = tmp_path / "1-a.gdlog"
    with pytest.raises(CheckpointError, match="it has no checkpoints"):
        last_checkpoint(log, LAST)
    training = trainer()
    training.advance(4)
    stored = CheckpointStore(log).write(capture(training))
    with pytest.raises(CheckpointError, match="its first checkpoint is at batch 4"):
        last_checkpoint(log, 3)
    stored.path.write_bytes(stored.path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is cut short"):
        last_checkpoint(log, LAST)
