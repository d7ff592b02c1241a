"""The options that describe a run.

Imports nothing heavy. Values that only torch can judge stay text until the worker judges them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from engine.log.filesystem.places import find_run
from engine.settings import (
    DEFAULT_BATCH_SIZES,
    Compilation,
    DataOn,
    LrScaling,
    LrSchedule,
    Precision,
)
from gdtui.cli.command import FILE, AnyParameter, Flag, Option, in_group
from gdtui.cli.options.choices import Setting
from gdtui.cli.options.completion import stored_runs, words
from gdtui.cli.options.data import data_options
from gdtui.cli.value_types import (
    batch_size,
    choice,
    device,
    duration,
    each,
    label,
    number,
    number_or_off,
    on_or_off,
    optimizer,
    pace,
    size,
    whole,
)

APP_PACE: Final = "1"
"""Default epochs per second in the app, where the lesson's 20 epochs then take about 20 s."""
THREADS: Final = whole(1, 1024)
"""The reader for a number of CPU threads."""
_MOST_LOADERS: Final = 256
_OPTIMIZERS: Final = ("sgd", "adam", "adamw", "rmsprop", "adagrad", "own")
"""Offered by Tab; torch has more."""


def comma_separated(values: Iterable[object]) -> str:
    """Several values as an option takes them."""
    return ",".join(map(str, values))


MakeSetting = Callable[..., Setting]


def run_options(pace: str = "free", **fixed: str) -> tuple[AnyParameter, ...]:
    """The options that describe a run.

    `fixed`: defaults of the command that a problem's suggestions do not replace.
    """
    setting = partial(_setting, fixed)
    return (
        *in_group("variants (one value for all, or one for each: a,b,c)", *_variant(setting)),
        *data_options(),
        *in_group(
            "training", *_training(setting, pace), *_checkpoints(setting), *_place_of_training()
        ),
    )


def _setting(
    fixed: Mapping[str, str], name: str, metavar: str | None, text: str, **attributes: Any
) -> Setting:
    is_fixed = name in fixed
    if is_fixed:
        attributes["default"] = fixed[name]
    option = f"--{name.replace('_', '-')}"
    return Setting(option, metavar, text, is_fixed=is_fixed, **attributes)


def _variant(setting: MakeSetting) -> Iterator[Setting]:
    """The settings that may differ between variants, and the two that go with them."""
    yield setting("batch_sizes", "SIZES", "samples per batch, or full; one variant for each",
                  type=each(batch_size), default=comma_separated(DEFAULT_BATCH_SIZES),
                  shell_complete=words(("full",), several=True))  # fmt: skip
    yield setting("lr", "LR", "learning rate", type=each(number), default="0.01")
    yield setting("lr_scaling", "RULE", "scale --lr with the effective batch: none, linear, sqrt",
                  type=each(choice(LrScaling)), default="none",
                  shell_complete=words(LrScaling, several=True))  # fmt: skip
    text = "the effective batch at which --lr holds unscaled, for all"
    yield setting("base_batch", "N", text, type=whole(1), default="64")
    yield setting("accumulation", "N", "batches per update", type=each(whole(1)), default="1")
    yield setting("momentum", "M", "from 0 to below 1", type=each(number), default="0")
    text = "any of torch.optim, also 'adamw(weight_decay=0.1)', or own: the problem's optimiser"
    yield setting("optimizer", "NAME", text, type=each(optimizer), default="sgd",
                  shell_complete=words(_OPTIMIZERS, several=True))  # fmt: skip
    yield from _recipe(setting)
    yield setting("names", "NAMES", "a name for each variant", type=each(label))
    text = "drop the incomplete last batch of an epoch"
    yield setting("drop_last", None, text, is_flag=True)


def _recipe(setting: MakeSetting) -> Iterator[Setting]:
    """Schedules, clipping and precision."""
    text = "the lr over the run: constant, cosine, linear, wsd, or own for the problem's"
    yield setting("schedule", "CURVE", text, type=each(choice(LrSchedule)), default="constant",
                  shell_complete=words(LrSchedule, several=True))  # fmt: skip
    text = "let the lr rise from 0 over a share of the run (below 1), or over N samples"
    yield setting("warmup", "SHARE|N", text, type=each(number), default="0")
    text = "scale gradients down to this norm, or off"
    yield setting("clip", "NORM", text, type=each(number_or_off), default="off",
                  shell_complete=words(("off",), several=True))  # fmt: skip
    text = "of the forward pass: fp32, bf16 or fp16 (torch's autocast)"
    yield setting("precision", "FORMAT", text, type=each(choice(Precision)), default="fp32",
                  shell_complete=words(Precision, several=True))  # fmt: skip
    text = "let the batch grow to its size over a share of the run, or over N samples"
    yield setting("batch_warmup", "SHARE|N", text, type=each(number), default="0")


def _training(setting: MakeSetting, pace_default: str) -> Iterator[Setting]:
    yield setting("epochs", "N", "passes over the data", type=whole(1), default="20")
    text = "epochs per second, for all"
    yield setting("pace", "N|free", text, type=pace, default=pace_default,
                  shell_complete=words(("free",)))  # fmt: skip
    text = "compute larger batches in pieces of N: the same result in less memory"
    yield setting("micro_batch", "N", text, type=whole(1))
    text = "where to keep the data: device, host, or auto (the device if it fits)"
    yield setting("data_on", "PLACE", text,
                  type=choice(DataOn), default="auto", shell_complete=words(DataOn))  # fmt: skip
    text = "processes per variant that read a Dataset ahead"
    yield setting("loader_workers", "N", text, type=whole(0, _MOST_LOADERS), default="0")
    text = "compile the update while training goes on: auto (if that pays), on, off"
    yield setting("compile", "WHEN", text, type=choice(Compilation), default="off",
                  shell_complete=words(Compilation))  # fmt: skip
    text = "also measure on held-out data every N updates"
    yield setting("validate_every", "N", text, type=whole(1), shown="at each epoch's end")
    text = "measure noise scale and curvature, in 2% of the time"
    yield setting("measuring", "on|off", text, type=on_or_off, default="on",
                  shell_complete=words(("on", "off")))  # fmt: skip


def _checkpoints(setting: MakeSetting) -> Iterator[Setting]:
    text = "keep the weights so often, if that takes at most 1% of the time; 0: never"
    yield setting("checkpoint_every", "TIME", text, type=duration, default="1m")
    text = "largest size of a run's checkpoints: older ones are removed"
    yield setting("checkpoint_disk", "SIZE", text, type=size, default="1G")


def _place_of_training() -> Iterator[AnyParameter]:
    text = "fixes data, initial weights and order, for all"
    yield Option("--seed", "N", text, type=whole(0, 2**63 - 1), default="0")
    yield device_option("auto, cpu, cuda, cuda:N, mps, a GPU's UUID; a list is assigned in turn")
    yield Option("--threads", "N", "CPU threads per variant", type=THREADS, shown="a fair share")
    text = "directory of the run"
    yield Option("--run-dir", "DIR", text, type=FILE, shown="a new one; see gdtui runs")
    text = "use a stored run's settings, problem and data"
    yield Option("--like", "RUN", text, type=find_run, shell_complete=stored_runs)
    yield Flag("--debug", "show the tracebacks of errors in a problem")


def device_option(text: str) -> Option:
    """The option that chooses a device, or several."""
    names = words(("auto", "cpu", "cuda", "mps"), several=True)
    return Option("--device", "NAME", text, type=device, default="auto", shell_complete=names)
