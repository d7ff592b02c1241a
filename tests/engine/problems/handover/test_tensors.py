"""The hand-over of a loader comes back the same, and nothing of it, or of a run, is ever run."""

import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from engine.problem import Problem
from engine.problems.handover.description import (
    ProblemDescription,
    describe,
    store_description,
    stored_description,
)
from engine.problems.handover.tensors import store_tensors, stored_tensors
from engine.problems.opening import open_problem
from engine.problems.parts import losses
from engine.problems.registry import load
from engine.settings import DataSettings, SettingsError


def mean_square(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return ((output - target) ** 2).mean()


def problem(*train: Any, **options: Any) -> Problem:
    return Problem(**{"train": train, "model": nn.Identity, "loss": mean_square, **options})


DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.bool),
    *(torch.complex64, torch.complex128),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_of_every_kind_come_back_bit_by_bit(dtype: torch.dtype, tmp_path: Path) -> None:
    bits = torch.arange(7 * 16, dtype=torch.uint8).remainder(2)
    whole = bits.view(dtype)[: len(bits.view(dtype)) // 7 * 7].reshape(7, -1)
    store_tensors(problem(whole, whole[:, 0]), tmp_path)
    found = stored_tensors(tmp_path, "train")
    assert found is not None
    for before, after in zip((whole, whole[:, 0]), found, strict=True):
        assert (after.dtype, after.shape) == (before.dtype, before.shape)
        assert torch.equal(after.view(torch.uint8), before.contiguous().view(torch.uint8))


def test_many_tensors_keep_their_order(tmp_path: Path) -> None:
    store_tensors(problem(*(torch.full((3,), k) for k in range(12))), tmp_path)
    found = stored_tensors(tmp_path, "train")
    assert found is not None
    assert [int(tensor[0]) for tensor in found] == list(range(12))


def test_arrays_views_and_a_missing_set(tmp_path: Path) -> None:
    base = torch.arange(10**6)
    made = problem(np.arange(6, dtype=np.float32).reshape(3, 2), base[::300_000][:3])
    store_tensors(made, tmp_path)
    assert stored_tensors(tmp_path, "validation") is None
    assert (tmp_path / "train.safetensors").stat().st_size < 1000, "not all that it is a view of"
    inputs, target = stored_tensors(tmp_path, "train") or ()
    assert inputs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert target.tolist() == [0, 300_000, 600_000]


def test_workers_may_write_into_their_tensors_and_change_none_of_the_others(tmp_path: Path) -> None:
    """A transform in a model may work in place."""
    store_tensors(problem(torch.zeros(4), torch.zeros(4)), tmp_path)
    (mine, _), (other, _) = (stored_tensors(tmp_path, "train") or () for _ in range(2))
    mine[0] = 1
    assert other.tolist() == [0, 0, 0, 0]


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot store the data in .*TMPDIR=DIR"):
        store_tensors(problem(torch.zeros(4), torch.zeros(4)), tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("number", "told"),
    [(28, "No space left on device; free some disk space, or"), (30, "make its file system")],
)
def test_the_system_s_own_error_is_told(
    number: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SafetensorError(f"Error while serializing: I/O error: … (os error {number})")

    monkeypatch.setattr("engine.problems.handover.tensors.save_file", fail)
    with pytest.raises(SettingsError, match=told):
        store_tensors(problem(torch.zeros(4), torch.zeros(4)), tmp_path)


# --- Descriptions ---------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> dict[str, DataSettings]:
    """Data of each kind that gdtui's own problems are made of."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", X=images, y=rng.integers(0, 3, 60))
    np.savez(tmp_path / "b.npz", X=rng.normal(size=(60, 4)), y=rng.normal(size=60))
    rows = "\n".join(f"{k},{'ab'[k % 2]},{k % 7}" for k in range(60))
    (tmp_path / "c.csv").write_text(f"x,kind,price\n{rows}\n")
    return {
        "arrays cnn": DataSettings(path=str(tmp_path / "a.npz"), model="cnn"),
        "arrays mlp": DataSettings(path=str(tmp_path / "a.npz"), model="mlp:8,8"),
        "arrays": DataSettings(path=str(tmp_path / "b.npz")),
        "mnist": DataSettings(path=str(tmp_path / "a.npz")),
        "table": DataSettings(path=str(tmp_path / "c.csv"), target="price"),
        "char-lm": DataSettings(path=__file__),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("arrays cnn", "arrays mlp", "arrays", "mnist", "table", "char-lm"),
        *("breast-cancer", "digits", "digits-cnn"),
    ],
)
def test_every_problem_of_ours_is_the_same_for_a_worker(
    name: str, files: dict[str, DataSettings], tmp_path: Path
) -> None:
    """Its file may be gone by then."""
    data, kind = files.get(name), name.split()[0]
    made = load(kind, 3, data)
    (tmp_path / "handed").mkdir()
    store_tensors(made, tmp_path / "handed")
    store_description(made, tmp_path / "handed")
    for file in tmp_path.glob("*.*"):
        file.unlink()
    opened = open_problem(kind, 3, data, tmp_path / "handed")
    for one, other in zip(made.train, opened.train, strict=True):
        assert torch.equal(one, other)
    assert (made.validation is None) == (opened.validation is None)
    assert opened.loss is made.loss
    assert opened.metrics == made.metrics
    weights = []
    for each in (made, opened):
        torch.manual_seed(0)
        weights.append(each.model().state_dict())
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


@pytest.mark.parametrize(
    "other",
    [
        {"model": lambda: nn.Linear(1, 1)},
        {"loss": mean_square},
        {"metrics": {"own": mean_square}},
        {"optimizer": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr)},
    ],
    ids=["model", "loss", "metric", "optimizer"],
)
def test_what_the_parts_do_not_make_up_is_not_described(other: dict[str, Any]) -> None:
    """A worker makes it anew."""
    known = load("digits", 0)
    assert describe(known) is not None
    parts = {name: getattr(known, name) for name in ("train", "model", "loss", "metrics")}
    assert describe(Problem(**{**parts, **other})) is None


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\x80",
        msgspec.msgpack.encode({"model": {"type": "os.system"}, "loss": "a", "metrics": {}}),
    ],
)
def test_a_description_is_nothing_but_one(wrong: bytes, tmp_path: Path) -> None:
    (tmp_path / "problem.msgpack").write_bytes(wrong)
    with pytest.raises(msgspec.DecodeError):
        stored_description(tmp_path)


def test_a_function_that_is_not_ours_has_no_name() -> None:
    description = ProblemDescription(
        model=describe(load("digits", 0)).model,  # type: ignore[union-attr]
        loss="eval",
        metrics={},
    )
    with pytest.raises(KeyError):
        description.problem((torch.zeros(1), torch.zeros(1)), None)
    assert set(losses.BY_NAME) == {
        *("binary_loss", "class_loss", "squared_loss"),
        *("binary_accuracy", "accuracy", "absolute_error"),
    }


# --- Nothing that is read is run ------------------------------------------------------------------


class Attack:
    """Pickled, it makes a file once it is loaded."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.canary.touch, ()


@pytest.mark.parametrize("place", ["handed", ".tensors"])
def test_a_pickle_is_not_loaded_wherever_it_lies(place: str, tmp_path: Path) -> None:
    """Versions before this one loaded problem.pickle out of .tensors."""
    canary = tmp_path / "ran"
    pickle.loads(pickle.dumps(Attack(canary)))
    canary.unlink()
    (tmp_path / place).mkdir()
    for name in ("problem.pickle", "problem.msgpack", "train.pt", "validation.pt"):
        (tmp_path / place / name).write_bytes(pickle.dumps(Attack(canary)))
    if place == "handed":
        (tmp_path / place / "problem.msgpack").unlink()
    open_problem("digits", 0, None, tmp_path / place)
    assert not canary.exists()
    (tmp_path / place / "train.safetensors").write_bytes(pickle.dumps(Attack(canary)))
    with pytest.raises(Exception, match=r"(?i)header"):
        open_problem("digits", 0, None, tmp_path / place)
    assert not canary.exists()
