"""The code that is shown trains as the variant does: the loop's losses are the trainer's."""

import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_lines import context
from weighted_losses import PROBLEMS, N

from engine.problems.opening import open_problem
from engine.problems.registry import load
from engine.settings import (
    FULL,
    LossAverage,
    LrScaling,
    LrSchedule,
    Precision,
    RunSettings,
    Variant,
    VariantSettings,
)
from engine.training.trainer import Trainer
from gdtui.cli.options.settings import read_options
from gdtui.lesson.code import recipe

EPOCHS = 2


def run_loop(
    run: RunSettings, variant: Variant, n: int, average: LossAverage | None = None
) -> list[float]:
    namespace: dict[str, Any] = {}
    exec(compile(recipe.loop(run, variant, n, average=average), "loop.py", "exec"), namespace)
    losses: list[float] = namespace["losses"]
    return losses


def train(problem: Any, settings: VariantSettings, seed: int) -> list[float]:
    trainer = Trainer(problem, settings, seed, torch.device("cpu"), epochs=EPOCHS)
    losses: list[float] = []
    while trainer.epoch < EPOCHS or not trainer.at_epoch_end:
        losses += np.frombuffer(trainer.advance(500).losses, "<f4").tolist()
    return losses


@pytest.mark.parametrize(
    "settings",
    [
        VariantSettings(batch_size=FULL),
        VariantSettings(batch_size=64),
        VariantSettings(batch_size=1, lr_scaling=LrScaling.LINEAR),
        VariantSettings(batch_size=FULL, accumulation_steps=3),
        VariantSettings(
            batch_size=96, accumulation_steps=4, momentum=0.9, lr_scaling=LrScaling.SQRT
        ),
        VariantSettings(batch_size=96, drop_last=True, optimizer="adamw"),
        VariantSettings(
            batch_size=64,
            schedule=LrSchedule.COSINE,
            warmup=0.2,
            clip=0.1,
            accumulation_steps=2,
            optimizer="adamw(weight_decay=0.1, betas=(0.9, 0.95))",
        ),
        VariantSettings(batch_size=64, schedule=LrSchedule.LINEAR, warmup=300, momentum=0.9),
        VariantSettings(
            batch_size=64,
            schedule=LrSchedule.WSD,
            optimizer="sgd(nesterov=True)",
            momentum=0.9,
            drop_last=True,
        ),
        VariantSettings(
            batch_size=300,
            batch_warmup=0.8,
            lr_scaling=LrScaling.LINEAR,
            warmup=0.1,
            accumulation_steps=2,
        ),
        VariantSettings(batch_size=FULL, batch_warmup=3000),
        VariantSettings(batch_size=64, warmup=0.5, precision=Precision.BF16),
        VariantSettings(batch_size=64, clip=0.1, precision=Precision.FP16, accumulation_steps=2),
    ],
    ids=[
        "full",
        "64",
        "1",
        "full in pieces",
        "accumulated",
        "adamw",
        "cosine",
        "linear",
        "wsd",
        "growing",
        "growing to full",
        "bf16",
        "fp16",
    ],
)
def test_the_loop_gives_the_losses_of_the_trainer(settings: VariantSettings) -> None:
    variant = Variant(name="x", settings=settings)
    run = RunSettings(variants=(variant,), seed=3, epochs=EPOCHS)
    assert run_loop(run, variant, 2000) == pytest.approx(
        train(load("synthetic", 3), settings, 3), rel=1e-5, abs=1e-7
    )


@pytest.mark.parametrize(
    "name",
    [
        'x"""\nran = True\n"""',
        'x\\"""\nran = True\n"""',
        'x"',
        "x\\",
        "\r\nran = True",
        "\x0cran = True",
        "\N{LINE SEPARATOR}ran = True",
        "Mini-batch\N{RIGHT-TO-LEFT OVERRIDE} \ud800 \N{GREEK SMALL LETTER ETA}",
    ],
)
def test_a_name_from_somebody_elses_run_is_no_code(name: str) -> None:
    """Who copies the loop would run it."""
    settings = VariantSettings(batch_size=1000)
    variant = Variant(name=name, settings=settings)
    run = RunSettings(variants=(variant,), epochs=1)
    namespace: dict[str, Any] = {}
    exec(compile(recipe.loop(run, variant, 2000), "loop.py", "exec"), namespace)
    assert "ran" not in namespace
    assert str(namespace["__doc__"]).startswith(f"{name} as a plain loop")


FILE = """
import beside
import numpy as np
import torch
from torch.utils.data import Dataset
from engine import Problem

class Waves(Dataset):
    def __len__(self):
        return 50

    def __getitem__(self, place):
        x = torch.tensor([place / 50.0])
        return {"x": x, "y": torch.sin(6 * x), "name": str(place)}

def mapped():
    loss = lambda output, batch: ((output - batch["y"]) ** 2).mean()
    return Problem(train=Waves(), model=Net, loss=loss)

def arrays():
    x = torch.linspace(0, 1, 50)[:, None].numpy()
    return Problem(train=(x, x**2), model=Net, loss=torch.nn.MSELoss(),
                   optimizer=lambda parameters, lr: torch.optim.Adam(parameters, lr=lr))

def drawn():
    x = torch.randn(50, 1)
    y = torch.from_numpy(np.random.rand(50, 1)).float()
    return Problem(train=(x, y), model=Net, loss=torch.nn.MSELoss())

def ragged():
    def collate(rows):
        x = torch.nn.utils.rnn.pad_sequence([x for x, _ in rows], batch_first=True)
        return x.mean(1, keepdim=True), torch.tensor([y for _, y in rows])[:, None]

    rows = [(torch.ones(1 + k % 3) * k / 50, k / 50) for k in range(50)]
    return Problem(train=rows, model=Net, loss=torch.nn.functional.mse_loss, collate=collate)

def by_name():
    x = torch.linspace(0, 1, 50)[:, None]
    return Problem(train={"x": x, "labels": x.square()}, model=Wrapped, loss=torch.nn.MSELoss())

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layers = torch.nn.Linear(1, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1)
        self.inner = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.inner(x)

class Wrapped(Net):
    def forward(self, x):
        return super().forward(x), "more"
"""


@pytest.mark.parametrize(
    ("function", "optimizer"),
    [
        ("mapped", "sgd"),
        ("arrays", "own"),
        ("drawn", "sgd"),
        ("ragged", "sgd"),
        ("by_name", "sgd"),
    ],
)
def test_the_loop_trains_a_problem_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, optimizer: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(FILE))
    settings = VariantSettings(batch_size=8, optimizer=optimizer)
    variant = Variant(name="x", settings=settings)
    run = RunSettings(variants=(variant,), problem=f"{path}:{function}", epochs=EPOCHS)
    (tmp_path / "beside.py").touch()
    monkeypatch.setattr(sys, "path", [*sys.path])
    problem = open_problem(run.problem, run.seed)
    del sys.modules["beside"]
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(tmp_path)])
    assert run_loop(run, variant, 50) == pytest.approx(train(problem, settings, 0), rel=1e-5)


@pytest.mark.parametrize("name", ["class weights", "a weight of one's own", "sum", "gpt2"])
@pytest.mark.parametrize(
    "settings",
    [
        VariantSettings(batch_size=8, accumulation_steps=3, lr=0.001, optimizer="adamw"),
        VariantSettings(batch_size=1, lr=0.001, momentum=0.9),
    ],
    ids=["accumulated", "of one"],
)
def test_the_loop_weights_batches_as_the_loss_does(
    tmp_path: Path, name: str, settings: VariantSettings
) -> None:
    """Some samples have no target that counts: the mean of none is not a number."""
    if name == "gpt2":
        pytest.importorskip("transformers")
    path = tmp_path / "mine.py"
    path.write_text(f"from weighted_losses import PROBLEMS\nproblem = PROBLEMS[{name!r}]\n")
    variant = Variant(name="x", settings=settings)
    run = RunSettings(variants=(variant,), problem=f"{path}:problem", epochs=EPOCHS)
    trainer = Trainer(PROBLEMS[name](), settings, 0, torch.device("cpu"))
    looped = run_loop(run, variant, N, trainer.objective.average.described)
    assert looped == pytest.approx(train(PROBLEMS[name](), settings, 0), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        VariantSettings(batch_size=FULL, lr=1e-5),
        VariantSettings(batch_size=32, lr_scaling=LrScaling.SQRT, base_batch=128, momentum=0.9),
        VariantSettings(batch_size=8, accumulation_steps=4, optimizer="adam", drop_last=True),
        VariantSettings(
            optimizer="adamw(weight_decay=0.1, betas=(0.9, 0.95))",
            schedule=LrSchedule.WSD,
            warmup=0.05,
            batch_warmup=123456.0,
            clip=1.5,
            precision=Precision.BF16,
        ),
        VariantSettings(optimizer="own(a='b, (')", schedule=LrSchedule.OWN),
    ],
)
def test_the_command_line_says_the_settings(settings: VariantSettings) -> None:
    variant = Variant(name="it's mine", settings=settings)
    run = RunSettings(variants=(variant,), epochs=7, seed=5, device="cpu", micro_batch=16)
    words = shlex.split(recipe.command_line(run, variant.name, settings))
    assert words[0] == "gdtui"
    read = read_options(context(words[1:])).settings
    assert (read.variants, read.epochs, read.seed, read.device) == ((variant,), 7, 5, "cpu")
    assert read.micro_batch == 16


def test_the_lessons_problem_needs_nothing_of_this_package_and_few_words() -> None:
    variant = Variant(name="Mini-batch", settings=VariantSettings(batch_size=64))
    run = RunSettings(variants=(variant,))
    assert "engine" not in recipe.loop(run, variant, 2000)
    assert recipe.command_line(run, variant.name, variant.settings) == (
        "gdtui --problem synthetic --batch-sizes 64 --lr 0.01 --epochs 20 --seed 0 --names "
        "Mini-batch"
    )


OWN_RECIPE = """
import torch
from engine.problem import Problem

def optimizer(model, lr, weight_decay=0.1):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": weight_decay},
                              {"params": vectors, "weight_decay": 0.0, "lr": lr / 2}], lr=lr)

def scheduler(optimizer, updates):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=updates)

def problem():
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(60, 4, generator=generator)
    y = torch.randn(60, 2, generator=generator)
    return Problem(train=(X, y), model=lambda: torch.nn.Linear(4, 2), optimizer=optimizer,
                   loss=torch.nn.MSELoss(), scheduler=scheduler)
"""


@pytest.mark.parametrize("schedule", [LrSchedule.OWN, LrSchedule.COSINE])
def test_the_loop_uses_the_problems_own_optimizer_and_scheduler(
    tmp_path: Path, schedule: LrSchedule
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN_RECIPE)
    settings = VariantSettings(
        batch_size=8, accumulation_steps=2, lr=0.01, clip=0.5,
        optimizer="own(weight_decay=0.3)", schedule=schedule,
    )  # fmt: skip
    variant = Variant(name="x", settings=settings)
    run = RunSettings(variants=(variant,), problem=f"{path}:problem", epochs=EPOCHS)
    ours = train(open_problem(f"{path}:problem", 0, None, None), settings, 0)
    assert run_loop(run, variant, 60) == pytest.approx(ours, rel=1e-6)
