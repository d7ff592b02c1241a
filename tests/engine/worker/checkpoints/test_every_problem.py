"""Forks and rewinds without changes repeat the future bit for bit, in every problem that ships."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest
from scripted_worker import rows, work

from engine.log.commands import Rewind
from engine.log.records import Point, Started
from engine.problems.registry import LISTINGS
from engine.settings import DataSettings, LrSchedule, VariantSettings

LAST, AT = 12, 6
SETTINGS = {
    "momentum": VariantSettings(batch_size=32, momentum=0.9, clip=1.0),
    "adamw": VariantSettings(batch_size=16, optimizer="adamw(weight_decay=0.1)", lr=1e-3),
    "accumulation": VariantSettings(
        batch_size=20, accumulation_steps=3, schedule=LrSchedule.COSINE, warmup=0.3
    ),
}
_HAS_EXTRA = all(map(importlib.util.find_spec, ("sklearn", "pandas")))
OWN = """\
import random
import numpy as np
import torch
from torch import nn
from gdtui import Problem

class Noisy(torch.utils.data.Dataset):
    def __len__(self):
        return 150
    def __getitem__(self, k):
        x = torch.full((4,), k / 90) + 0.1 * torch.rand(4) + 0.1 * random.random()
        return x, torch.tensor([float(k % 3) + 0.1 * float(np.random.rand())])

def problem():
    model = lambda: nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 1)
    )
    return Problem(train=Noisy(), model=model, loss=nn.MSELoss())
"""
CASES = [
    pytest.param(
        each.name,
        marks=pytest.mark.skipif(each.needs_extra and not _HAS_EXTRA, reason="needs gdtui[data]"),
    )
    for each in LISTINGS
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DataSettings]:
    """Small files for the problems that need one."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    features = generator.normal(size=(400, 5)).astype("f4")
    images = generator.integers(0, 255, (300, 28, 28)).astype("u1")
    labels = generator.integers(0, 10, 300).astype("u1")
    np.savez(folder / "arrays.npz", X=features, y=features.sum(1))
    np.savez(folder / "mnist.npz", x_train=images, y_train=labels, x_test=images[:50],
             y_test=labels[:50])  # fmt: skip
    lines = ["a,b,price", *(f"{a},{b},{a + b}" for a, b in features[:, :2].tolist())]
    (folder / "table.csv").write_text("\n".join(lines))
    (folder / "book.txt").write_text("".join(random.Random(0).choices("abc def.\n", k=12_000)))
    return {
        "arrays": DataSettings(path=str(folder / "arrays.npz")),
        "mnist": DataSettings(path=str(folder / "mnist.npz")),
        "table": DataSettings(path=str(folder / "table.csv"), target="price"),
        "char-lm": DataSettings(path=str(folder / "book.txt")),
    }


def check(tmp_path: Path, settings: VariantSettings, **run: object) -> None:
    log = tmp_path / "a.gdlog"
    rewind = Rewind(id=1, settings=settings, batches=AT)
    records = work(log, (LAST, rewind), stop=LAST, settings=settings, **run)
    fork = work(
        tmp_path / "b.gdlog", stop=LAST, settings=settings,
        origin=Point(variant="a", batches=AT, generation=1), others={"a": str(log)}, **run,
    )  # fmt: skip
    found = {k: [row[1:] for row in rows(records) if row[0] == k] for k in (1, 2)}
    again = [row[1:] for row in rows(fork)]
    starts = [each for each in (*records, *fork) if isinstance(each, Started)]
    assert [each.origin and each.origin.batches for each in starts] == [None, AT, AT]
    count = min(map(len, (found[1][AT:], found[2], again)))
    assert count >= LAST - AT
    assert found[2][:count] == again[:count] == found[1][AT : AT + count]


@pytest.mark.parametrize("problem", CASES)
def test_problems_that_ship(tmp_path: Path, problem: str, data: dict[str, DataSettings]) -> None:
    place = [each.name for each in LISTINGS].index(problem)
    settings = [*SETTINGS.values()][place % 3]
    check(tmp_path, settings, problem=problem, data=data.get(problem), epochs=4)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_own_problem(tmp_path: Path, workers: int) -> None:
    """A Dataset that draws random numbers, with and without processes that read ahead."""
    file = tmp_path / "own.py"
    file.write_text(OWN)
    check(
        tmp_path, SETTINGS["accumulation"], problem=f"{file}:problem", loader_workers=workers,
        epochs=4,
    )  # fmt: skip
