"""A variant's settings as code that anyone can run: a command line, and a plain PyTorch loop.

Pure functions from settings to text. The loop needs torch and numpy and, for any problem but the
lesson's, this package, for the data and the model. It trains from the initial weights with the
settings in force, as a restart would, and its `losses` are those on the chart.
"""

import shlex
from collections.abc import Iterator
from typing import Final

from msgspec.structs import asdict

from engine.problems.user_file import is_file, split
from engine.settings import (
    FULL,
    Compilation,
    DataSettings,
    LossAverage,
    Resolved,
    RunSettings,
    Variant,
    VariantSettings,
)
from gdtui.lesson.code import update_code
from gdtui.lesson.code.data_options import data_options
from gdtui.view.text import formatting

_PLAIN: Final = VariantSettings()
_LESSON: Final = "synthetic"
_AUTO: Final = "auto"
_SYNTHETIC: Final = """\
generator = torch.Generator().manual_seed(SEED)
X = torch.randn(2000, 10, generator=generator)
w = torch.randn(10, generator=generator)
y = (X @ w + 0.1 * torch.randn(2000, generator=generator) > 0).float()
X, y = X.to(DEVICE), y.to(DEVICE)
n = len(X)

torch.manual_seed(SEED)
model = torch.nn.Linear(10, 1).to(DEVICE)


def loss_of(rows):
    output = model(X[rows]).squeeze(-1)  # the last dimension alone: a batch of one keeps (1,)
    return torch.nn.functional.binary_cross_entropy_with_logits(output, y[rows])
"""
_OTHER: Final = """\
# What the problem draws at random, it draws as it did there.
torch.manual_seed(SEED)
np.random.seed(SEED % 2**32)
random.seed(SEED)
problem = {load}
data = problem.train
if callable(data) and not hasattr(data, "__len__"):
    data = data()
n = count("train", data)

torch.manual_seed(SEED)
objective = Objective(problem, torch.device(DEVICE))  # calls its model by position or by name
model = objective.model


def loss_of(rows):
    if is_tensors(data) and problem.collate is None:
        batch = [torch.as_tensor(each)[rows] for each in data]
    else:
        # A Dataset's random transforms draw other numbers here.
        batch = batch_of([sample_of(data, row) for row in rows.tolist()], problem.collate)
    output, target = objective.outcome(moved(batch, torch.device(DEVICE)))
    return problem.loss(output, target){weight}
"""
_LOOP: Final = """\
losses = []  # of every batch
for epoch in range(1, EPOCHS + 1):
    {order}
{groups}{before}        optimizer.zero_grad()
{batches}
{step}
    print(f"epoch {{epoch:3}}   loss of its last batch {{losses[-1]:.4f}}")
"""
_BY_SAMPLES: Final = """\
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            loss = loss_of(batch)
            {backward}  # by samples: a short batch counts less
            losses.append(loss.item())"""
_ADDED_UP: Final = """\
        for start in range(0, len(rows), BATCH):
            loss = loss_of(rows[start : start + BATCH])
            {backward}  # a sum over samples: nothing is divided
            losses.append(loss.item())"""
_BY_WEIGHT: Final = """\
        total = 0
        for start in range(0, len(rows), BATCH):
            loss, weight = loss_of(rows[start : start + BATCH])
            if weight > 0:  # else the loss is 0 ÷ 0
                {backward}  # by what the loss was divided by
                total += weight
            losses.append(loss.item() if weight > 0 else 0.0)
        for parameter in model.parameters():
            if not total:
                parameter.grad = torch.zeros_like(parameter)
            elif parameter.grad is not None:
                parameter.grad /= total  # once, by all of it"""
_ORDER: Final = (
    "order = np.random.default_rng([0x6F72646572, SEED, epoch]).permutation(n)"
    "  # the same for any batch size"
)
_WHOLE: Final = "order = np.arange(n)"
_DRAWS: Final = (
    'drawn = hashlib.blake2b(b"%d %d" % (SEED, epoch), digest_size=4, person=b"stochastic")\n    '
    'torch.manual_seed(int.from_bytes(drawn.digest(), "big"))  # for dropout\n    '
)


def command_line(run: RunSettings, name: str, settings: VariantSettings) -> str:
    """`gdtui …` that trains this variant alone, with all settings that differ from defaults."""
    words = ["gdtui", "--problem", run.problem, *data_options(run.data)]
    words += ["--batch-sizes", str(settings.batch_size)]
    words += ["--lr", formatting.setting(settings.lr)]
    optional = (
        ("--lr-scaling", str(settings.lr_scaling), str(_PLAIN.lr_scaling)),
        ("--base-batch", str(settings.base_batch), str(_PLAIN.base_batch)),
        ("--accumulation", str(settings.accumulation_steps), str(_PLAIN.accumulation_steps)),
        ("--momentum", formatting.setting(settings.momentum), formatting.setting(_PLAIN.momentum)),
        ("--optimizer", settings.optimizer, _PLAIN.optimizer),
        ("--schedule", str(settings.schedule), str(_PLAIN.schedule)),
        ("--warmup", formatting.value(settings.warmup), formatting.value(_PLAIN.warmup)),
        ("--clip", formatting.value(settings.clip), formatting.value(_PLAIN.clip)),
        ("--batch-warmup", formatting.value(settings.batch_warmup), "0"),
        ("--precision", str(settings.precision), str(_PLAIN.precision)),
    )
    for option, value, default in optional:
        if value != default or run.problem != _LESSON:  # a problem has its own defaults
            words += [option, value]
    if settings.drop_last:
        words.append("--drop-last")
    words += ["--epochs", str(run.epochs), "--seed", str(run.seed)]
    if run.micro_batch is not None:
        words += ["--micro-batch", str(run.micro_batch)]
    if run.compile is Compilation.ON:
        words += ["--compile", "on"]
    if run.device != _AUTO:
        words += ["--device", run.device]
    return shlex.join([*words, "--names", name])


def loop(
    run: RunSettings,
    variant: Variant,
    n: int,
    device: str = "cpu",
    average: LossAverage | None = None,
) -> str:
    """A Python program that trains as this variant would from the start.

    `n`: number of training samples. `average`: what the loss averages over; None means samples.
    """
    average = average or LossAverage(over="samples")
    settings = variant.settings
    force = settings.resolve(n)
    lines = [f'"""{_title(variant, force)}"""', "", *_imports(run, settings), ""]
    lines += [
        f"SEED, EPOCHS, DEVICE = {run.seed}, {run.epochs}, {device!r}",
        f"BATCH = {force.batch_size}  # samples in one forward and backward pass",
        f"ACCUMULATION = {force.accumulation_steps}  # batches behind one update",
        f"LR = {force.lr!r}  # {_rule(settings, force)}",
        "",
        _problem(run, average),
        "",
        update_code.optimizer(settings),
        *update_code.preparations(settings, _end(settings, force, n)),
    ]
    return "\n".join(lines) + "\n" + _epochs(run, settings, force, n, average)


def _title(variant: Variant, force: Resolved) -> str:
    size = f"{force.effective_batch:,}" if force.is_full else f"{force.batch_size:,}"
    name = "".join(map(_quoted, variant.name))
    batch = f"batch {size}{' (full)' * force.is_full}"
    return f"{name} as a plain loop: {batch}, lr {force.lr:.6g}."


def _quoted(character: str) -> str:
    """A character of a name, escaped so that it cannot end the docstring and begin code."""
    if character.isprintable() and character not in '"\\':
        return character
    return f"\\{character}" if character in '"\\' else ascii(character)[1:-1]


def _imports(run: RunSettings, settings: VariantSettings) -> Iterator[str]:
    yield from update_code.imports(settings)
    if run.problem != _LESSON:
        yield from ("import hashlib", "import inspect", "import random")
        if is_file(run.problem):
            yield from ("import runpy", "import sys")
        yield ""
    yield "import numpy as np"
    yield "import torch"
    if run.problem != _LESSON:
        yield "from engine.problem import count, is_tensors"
        if not is_file(run.problem):
            yield "from engine.problems import load"
        if run.data is not None:
            yield "from engine.settings import DataSettings"
        yield "from engine.training.data.collating import batch_of, sample_of"
        yield "from engine.training.data.moving import moved"
        yield "from engine.training.model import Objective"


def _rule(settings: VariantSettings, force: Resolved) -> str:
    ratio = f"{force.effective_batch:,} ÷ {settings.base_batch:,}"
    match settings.lr_scaling.value:
        case "linear":
            return f"linear scaling: {settings.lr:g} × {ratio}"
        case "sqrt":
            return f"square-root scaling: {settings.lr:g} × √({ratio})"
    return "not scaled"


def _problem(run: RunSettings, average: LossAverage) -> str:
    if run.problem == _LESSON:
        return _SYNTHETIC
    weight = average.weight and f", {average.weight}"
    if not is_file(run.problem):
        return _OTHER.format(load=_load(run), weight=weight)
    path, function = split(run.problem)
    folder = f"sys.path.insert(0, {str(path.parent)!r})  # it may import modules beside it\n"
    load = f"runpy.run_path({str(path)!r})[{function!r}]()"
    return folder + _OTHER.format(load=load, weight=weight)


def _load(run: RunSettings) -> str:
    if run.data is None:
        return f"load({run.problem!r}, SEED)"
    unset = DataSettings(path="-")
    given = {
        name: value
        for name, value in asdict(run.data).items()
        if name == "path" or value != getattr(unset, name)
    }
    data = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"load({run.problem!r}, SEED, DataSettings({data}))"


def _epochs(
    run: RunSettings, settings: VariantSettings, force: Resolved, n: int, average: LossAverage
) -> str:
    order = _WHOLE if force.batch_size == n and not settings.batch_warmup else _ORDER
    draws = "" if run.problem == _LESSON else _DRAWS
    batches, loss = _BY_SAMPLES, "loss * (len(batch) / len(rows))"
    if average.weight:
        batches, loss = _BY_WEIGHT, "loss * weight"
    elif average.is_sum:
        batches, loss = _ADDED_UP, "loss"
    return _LOOP.format(
        order=draws + order,
        groups=update_code.groups(settings, _end(settings, force, n)),
        before=update_code.before(settings),
        batches=update_code.batches(batches, settings).format(
            backward=update_code.backward(loss, settings)
        ),
        step=update_code.step(settings),
    )


def _end(settings: VariantSettings, force: Resolved, n: int) -> str:
    """The samples of an epoch that are trained on, as code."""
    drops = settings.drop_last and settings.batch_size != FULL and n % force.batch_size
    return "n - n % BATCH" if drops else "n"
