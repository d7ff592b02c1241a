"""The results of arms that are kept: whole, or as good as not there; an experiment that goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from engine.experiments import registry
from engine.experiments.arm_store import ArmStore
from engine.experiments.claims import saddle
from engine.experiments.claims.minima import ArmState, Ends

STATE = ArmState(*(torch.rand(4, dtype=torch.float64) for _ in range(5)))


@dataclass
class Plain:
    rows: list[list[float]]
    extra: int | None


def store(path: Path | None, report: Callable[[float, str], None] = lambda *_: None) -> ArmStore:
    return ArmStore(path, report)


@pytest.mark.parametrize(
    "result",
    [
        torch.tensor([[0.1, float("nan")], [float("inf"), -0.0]], dtype=torch.float64),
        torch.zeros(0, 3),
        (torch.arange(3), torch.tensor([True, False])),
        Plain([[0.1, 1e300], []], None),
        Ends(STATE, None),
        Ends(STATE, STATE),
    ],
)
def test_a_result_is_read_as_it_was_kept(result: Any, tmp_path: Path) -> None:
    kinds = (Plain, Ends, ArmState)
    writer = store(tmp_path)
    assert writer.read("arm", kinds) is None
    writer.keep("arm", result)
    found = store(tmp_path).read("arm", kinds)
    assert repr(found) == repr(result)
    assert store(tmp_path).read("another", kinds) is None
    assert store(None).read("arm", kinds) is None


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\xc1",
        b"\x91" * 50_000,
        {"name": "arm", "share": 2.0, "result": 1},
        {"name": "arm", "share": 0.1, "result": ["tensor", "torch.float64", [9], b"12345678"]},
        {"name": "arm", "share": 0.1, "result": ["tensor", "torch.qint8", [1], b"1"]},
        {"name": "arm", "share": 0.1, "result": ["Path", ["x"]]},
        {"name": "arm", "share": 0.1, "result": ["Ends", [1]]},
        {"name": "arm", "share": 0.1, "result": {"a": 1}},
        {"name": "arm", "share": 0.1, "result": []},
    ],
)
def test_anything_else_in_its_file_counts_as_not_done(rubbish: Any, tmp_path: Path) -> None:
    data = rubbish if isinstance(rubbish, bytes) else msgspec.msgpack.encode(rubbish)
    (tmp_path / "arm-1.msgpack").write_bytes(data)
    assert store(tmp_path).read("arm", (Ends,)) is None


class Cut(BaseException):
    """The end of the process in the midst of an arm."""


def test_an_experiment_that_was_cut_short_comes_to_the_same_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saddle, "UPDATES", 40)
    monkeypatch.setattr(saddle, "SAMPLES", 100)
    seeds, cpu = range(3), torch.device("cpu")
    shares: list[float] = []
    undisturbed = registry.run("saddle", seeds, cpu, lambda *_: None)

    def cut(fraction: float, _: str) -> None:
        if fraction > 0.5:
            raise Cut

    broken = store(tmp_path, cut)
    with pytest.raises(Cut):
        registry.run("saddle", seeds, cpu, broken.report, broken)
    assert [file.name for file in tmp_path.iterdir()] == ["arm-1.msgpack"]

    trained: list[Tensor] = []
    descended = saddle.descended

    def counted(start: Tensor, *others: Any) -> Tensor:
        trained.append(start)
        return descended(start, *others)

    monkeypatch.setattr(saddle, "descended", counted)
    again = store(tmp_path, lambda fraction, _: shares.append(fraction))
    assert registry.run("saddle", seeds, cpu, again.report, again) == undisturbed
    assert len(trained) == 2  # the arm that was cut short, and the one to come
    assert shares == sorted(shares)
    assert shares[0] >= 0.3
    assert shares[-1] <= 1
