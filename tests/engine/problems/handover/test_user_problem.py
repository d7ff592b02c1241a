"""A user's problem is made once, and a worker trains the same as if it had made it itself."""

import importlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.log.filesystem.private import PrivateDirectory
from engine.problem import SETS, Problem
from engine.problems.handover.tensors import store_tensors
from engine.problems.handover.timing import notes_on, timed
from engine.problems.handover.user_problem import store_made
from engine.problems.opening import FirstOpening, open_first, open_problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

HEAD = """\
import functools
from pathlib import Path

import numpy as np
import torch
from torch import nn
from gdtui import Problem

COUNTER = Path(__file__).with_name("counter")


def count():
    with COUNTER.open("a") as file:
        file.write("x")


"""
DATA = """\
def data():
    count()
    x = torch.randn(64, 3)
    return x, (x.sum(1) > 0).long()


"""
END = """\
def problem():
    x, y = data()
    return Problem(
        train=(x[:48], y[:48]),
        validation=(x[48:], y[48:]),
        model=lambda: nn.Linear(x.shape[1], 2),
        loss=nn.functional.cross_entropy,
    )
"""
HANDED = {
    "a function that problem() calls": DATA + END,
    "in problem() itself": """\
def problem():
    count()
    x, width = np.random.normal(size=(64, 3)).astype("float32"), 4
    def model():
        return nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 1))
    def loss(output, target, *, weight=0.5):
        return weight * ((output - target) ** 2).mean()
    return Problem(train=(x, x[:, :1]), model=model, loss=loss, metrics={"twice": lambda o, t:
        2 * loss(o, t)})
""",
    "a class in problem(), with super()": """\
def problem():
    count()
    x = torch.randn(64, 3)
    class Base(nn.Module):
        width = x.shape[1]
    class Net(Base):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(self.width, 1)
        def forward(self, x):
            return self.inner(x)
    return Problem(train=(x, x[:, :1]), model=Net, loss=nn.MSELoss())
""",
    "weights of classes and a partial": """\
def problem():
    count()
    x, y = torch.randn(64, 3), torch.arange(64) % 3
    shares = torch.bincount(y).float() / 64
    return Problem(train=(x, y), model=functools.partial(nn.Linear, 3, 3), loss=nn.CrossEntropyLoss(
        weight=1 / shares))
""",
    "a vocabulary that problem() fills": """\
VOCABULARY = {}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, len(VOCABULARY))
    def forward(self, x):
        return self.inner(x)

def problem():
    count()
    VOCABULARY.update(a=1, b=2)
    x = torch.randn(64, 3)
    return Problem(train=(x, torch.arange(64) % 2), model=Net, loss=nn.functional.cross_entropy)
""",
    "a global that problem() makes": """\
def model():
    return nn.Linear(3, WIDTH)

def problem():
    global WIDTH
    count()
    WIDTH = 2
    x = torch.randn(64, 3)
    return Problem(train=(x, torch.arange(64) % 2), model=model, loss=nn.functional.cross_entropy)
""",
    "a generator of random numbers in the file": """\
DRAW = np.random.default_rng(0)

def problem():
    count()
    x = DRAW.normal(size=(64, 3)).astype("float32")
    return Problem(train=(x, x[:, :1]), model=lambda: nn.Linear(3, 1), loss=nn.MSELoss())
""",
    "a Dataset": """\
class Rows(torch.utils.data.Dataset):
    def __init__(self):
        count()
        self.x, self.names = torch.randn(64, 3), ["a"] * 64
    def __len__(self):
        return len(self.x)
    def __getitem__(self, index):
        return self.x[index], self.x[index, :1] + len(self.names[index])

def problem():
    rows = Rows()
    return Problem(train=rows, model=lambda: nn.Linear(rows.x.shape[1], 1), loss=nn.MSELoss())
""",
    "a mapping and a list": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 1)
    def forward(self, x):
        return self.inner(x)

def problem():
    count()
    x = torch.randn(64, 3)
    return Problem(train={"x": x, "y": x[:, :1]}, validation=[{"x": x[0], "y": x[0, :1]}],
        model=Net, loss=lambda o, batch: (o - batch["y"]).square().mean())
""",
    "many small tensors": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 1)
    def forward(self, x, mask):
        return self.inner(x) * mask

def problem():
    count()
    rows = [(torch.randn(3), torch.tensor(True), torch.randn(1, dtype=torch.bfloat16).float())
            for _ in range(64)]
    return Problem(train=rows, model=Net, loss=nn.MSELoss(), collate=lambda rows: (
        torch.stack([row[0] for row in rows]), torch.stack([row[1][None] for row in rows]),
        torch.stack([row[2] for row in rows])))
""",
    "functions that return data": """\
def train():
    count()
    x = torch.randn(64, 3)
    return x, x[:, :1]

def problem():
    return Problem(train=train, model=lambda: nn.Linear(3, 1), loss=nn.MSELoss())
""",
    "settings of the process": """\
def problem():
    import os
    count()
    torch.set_default_dtype(torch.float64)
    os.environ["PART_OF_THE_PROBLEM"] = "3"
    x = torch.randn(64, 3)
    return Problem(train=(x, x[:, :1]), loss=nn.MSELoss(),
        model=lambda: nn.Linear(int(os.environ["PART_OF_THE_PROBLEM"]), 1))
""",
    "an optimiser and a scheduler": DATA
    + END.replace(
        "loss=nn",
        "optimizer=lambda params, lr: torch.optim.Adam(params, lr), "
        "scheduler=lambda o: torch.optim.lr_scheduler.StepLR(o, 3), loss=nn",
    ),
    "a function that calls itself": """\
def problem():
    count()
    x = torch.randn(64, 3)
    def layers(n):
        return [nn.Linear(3, 3), *layers(n - 1)] if n else [nn.Linear(3, 1)]
    return Problem(train=(x, x[:, :1]), loss=nn.MSELoss(), model=lambda: nn.Sequential(*layers(2)))
""",
    "arrays and weights that the model uses": """\
def problem():
    count()
    x, start = np.random.normal(size=(64, 300)).astype("float32"), np.zeros((300, 300), "float32")
    first = nn.Linear(300, 1)
    def model():
        net = nn.Linear(300, 1)
        net.load_state_dict(first.state_dict())
        net.bias.data += float(start.sum()) + float(x[0, 0])
        return net
    return Problem(train=(x, x[:, :1]), loss=nn.MSELoss(), model=model)
""",
}
"""Files of which a worker need not run the function that makes data."""

MADE_BY_EACH = {
    "a lock": (
        DATA + END.replace("x, y = data()", "import threading; lock = threading.Lock(); x, y = "
        "data()").replace("lambda: nn", "lambda: lock and nn"),
        "cannot pickle '_thread.lock' object",
    ),
    "a cache": (
        "@functools.cache\n" + DATA + END.replace("x.shape[1]", "data()[0].shape[1]"),
        "it changes data, which is needed later",
    ),
    "an attribute of a class": (
        DATA
        + "class Net(nn.Linear):\n    WIDTH = 0\n"
        + "    def __init__(self):\n        super().__init__(self.WIDTH, 2)\n\n"
        + END.replace("    return", "    Net.WIDTH = 3\n    return").replace(
            "lambda: nn.Linear(x.shape[1], 2)", "Net"
        ),
        "it changes Net, which is needed later",
    ),
    "very many tensors": (
        "def problem():\n    count()\n    one = torch.zeros(3)\n"
        "    rows = [(one + k, one[:1]) for k in range(20_001)]\n"
        "    return Problem(train=rows, model=lambda: nn.Linear(3, 1), loss=nn.MSELoss())\n",
        "it holds more than 20,000 tensors",
    ),
    "data sets of two kinds": (
        DATA
        + "def held_out():\n    x, y = data()\n    return [(x[0], y[0])]\n\n"
        + END.replace("(x[:48], y[:48])", "data").replace("(x[48:], y[48:])", "held_out"),
        "one of its data sets is tensors, the other is not",
    ),
}  # fmt: skip
"""Files of which each worker runs the function, and why."""


@pytest.fixture(autouse=True)
def _settings_of_torch() -> Any:
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


Hand = Callable[[str], tuple[FirstOpening, Problem, Problem]]


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    """A file's problem, as its loader opened it, as a worker has it, and as it would make it."""

    def opened(text: str) -> tuple[FirstOpening, Problem, Problem]:
        (tmp_path / "net.py").write_text(HEAD + text)
        name = f"{tmp_path / 'net.py'}:problem"
        first = open_first(name, 3)
        torch.set_default_dtype(torch.float32)
        place = PrivateDirectory()
        store_tensors(first.problem, place.path)
        if first.made is not None:
            store_made(first.made, place.path)
        (tmp_path / "counter").unlink()
        made = open_problem(name, 3, None, place.path)
        calls = (tmp_path / "counter").exists()
        assert calls == (first.made is None), "the data is made again"
        state = draws()
        torch.set_default_dtype(torch.float32)
        (place.path / "made.pickle").unlink(missing_ok=True)
        alone = open_problem(name, 3, None, place.path)
        assert state == draws(), "the generators are in another state"
        return first, made, alone

    return opened


def draws() -> tuple[float, float, float]:
    """The next random number of each generator."""
    return float(torch.rand(())), float(np.random.random()), random.random()


def trained(problem: Problem) -> tuple[bytes, bytes]:
    """Losses and weights after two epochs."""
    trainer = Trainer(problem, VariantSettings(batch_size=8, lr=0.1), 3, torch.device("cpu"))
    losses = [trainer.advance(1).losses for _ in range(min(2 * trainer.n // 8, 20))]
    return np.array(losses).tobytes(), trainer.weights().tobytes()


@pytest.mark.parametrize("name", HANDED)
def test_the_data_is_made_once_and_every_loss_is_the_same(name: str, hand: Hand) -> None:
    first, made, alone = hand(HANDED[name])
    assert first.notes == ()
    assert first.made is not None
    assert [getattr(made, each) is None for each in SETS] == [
        getattr(alone, each) is None for each in SETS
    ]
    assert trained(made) == trained(alone)


@pytest.mark.parametrize("name", MADE_BY_EACH)
def test_what_cannot_be_handed_over_is_made_by_each(name: str, hand: Hand) -> None:
    text, why = MADE_BY_EACH[name]
    first, made, alone = hand(text)
    assert first.made is None
    assert first.obstacle == why
    assert trained(made) == trained(alone)


@pytest.mark.parametrize(
    ("running", "making", "obstacle", "said"),
    [
        (0.5, 9.0, "", []),
        (0.5, 0.9, "cannot pickle it", []),
        (2.0, 0.0, "", ["the lines outside its functions took 2.0 s", "load them in problem()"]),
        (0.0, 3.0, "cannot pickle it", ["took 3.0 s", "(cannot pickle it)", "Problem(train=load)"]),
    ],
)
def test_what_takes_long_and_is_repeated_is_said_with_a_remedy(
    running: float, making: float, obstacle: str, said: list[str]
) -> None:
    notes = notes_on(Path("net.py"), running, making, obstacle)
    assert bool(notes) == bool(said)
    assert all(text in note for note in notes for text in ["net.py: ", *said])


def test_a_dataset_is_told_to_open_its_files_later() -> None:
    (note,) = notes_on(Path("net.py"), 0.0, 3.0, "cannot pickle it", has_dataset=True)
    assert note.endswith("let the Dataset open files and connections in __getitem__")


def test_the_time_of_a_file_leaves_out_packages_but_not_the_users_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lib" / "site-packages"
    package.mkdir(parents=True)
    (package / "a_package.py").write_text("import time\ntime.passed += 100\n")
    (tmp_path / "own_module.py").write_text("import time\ntime.passed += 3\nimport a_package\n")
    monkeypatch.setattr(time, "passed", 0.0, raising=False)
    monkeypatch.setattr(time, "perf_counter", lambda: time.passed)  # type: ignore[attr-defined]
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.syspath_prepend(str(tmp_path))
    with timed(tmp_path) as found:
        importlib.import_module("json")
        exec("import own_module")
    assert found.own == 3
