"""The options that describe a run, as they are typed: text in, a validated RunSettings out.

Touches no file and imports nothing heavy. What only torch can judge stays text: the worker judges
it.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.problems.error_messages import shown
from engine.problems.registry import find
from engine.problems.user_file import file_of
from engine.settings import (
    BatchSize,
    DataSettings,
    RunSettings,
    SettingsError,
    Variant,
    VariantSettings,
    default_names,
)
from gdtui.cli.options.choices import READERS, with_defaults
from gdtui.cli.options.data import add_data_options, read_data
from gdtui.cli.value_types import Value, device, fps, keys, whole
from gdtui.keys.script import Press

if TYPE_CHECKING:
    from engine.problems.loader import Loaded

THEMES: Final = ("dark", "light", "high-contrast")
APP_PACE: Final = 1.0
"""Epochs a second in the app unless told otherwise: the lesson's 20 epochs take about 20 s."""

MOST_THREADS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options as values."""

    settings: RunSettings
    notes: tuple[str, ...]
    """Notes for the user on how the options were understood."""
    run_dir: Path | None
    """None: a new one in the place where runs are kept."""
    theme: str
    fps: float
    """Screen updates a second, at most."""
    keys: tuple[Press, ...]
    """Pressed by themselves."""


def add_run_options(
    parser: argparse.ArgumentParser, *, defaults: Mapping[str, str] | None = None
) -> None:
    """Give a parser the options that describe a run.

    `defaults`: those that its help shows in place of the app's, by option.
    """
    shown_defaults = defaults or {}
    compare = parser.add_argument_group("variants (one value for all, or one for each: a,b,c)")
    for option, metavar, text in _COMPARED:
        _add(compare, option, metavar, text, shown_defaults)
    compare.add_argument(
        "--drop-last",
        action="store_true",
        default=argparse.SUPPRESS,
        help="drop the incomplete last batch of an epoch",
    )

    add_data_options(parser)
    how = parser.add_argument_group("training")
    for option, metavar, text in _TRAINED:
        _add(how, option, metavar, text, shown_defaults)
    add = how.add_argument
    add("--seed", type=whole(0, 2**63 - 1), default=0, metavar="N",
        help="fixes data, initial weights and order, for all [0]")  # fmt: skip
    add("--device", type=device, default="auto", metavar="NAME",
        help="auto, cpu, cuda, cuda:N, mps; several: assigned in turn [auto]")  # fmt: skip
    add(
        "--threads",
        type=whole(1, MOST_THREADS),
        metavar="N",
        help="CPU threads per variant [a fair share]",
    )
    add(
        "--run-dir",
        type=Path,
        metavar="DIR",
        help="directory of the run [a new one; see gdtui runs]",
    )
    add("--debug", action="store_true", help="show the tracebacks of errors in a problem")


_COMPARED: Final = (
    ("--batch-sizes", "SIZES", "one variant each: samples per batch, or full [full,64,1]"),
    ("--lr", "LR", "learning rate [0.01]"),
    ("--lr-scaling", "RULE", "scale --lr with the effective batch: none, linear, sqrt [none]"),
    ("--base-batch", "N", "the effective batch at which --lr holds unscaled, for all [64]"),
    ("--accumulation", "N", "batches per update [1]"),
    ("--momentum", "M", "from 0 to below 1 [0]"),
    ("--optimizer", "NAME", "any of torch.optim, or own for the problem's [sgd]"),
    ("--names", "NAMES", "a name for each variant"),
)
_TRAINED: Final = (
    ("--epochs", "N", "passes over the data [20]"),
    ("--pace", "N|free", "epochs per second, for all [1 on screen, free without]"),
    ("--micro-batch", "N", "compute larger batches in pieces of N: the same result in less memory"),
    (
        "--data-on",
        "PLACE",
        "place of the data: device, host or auto [auto: on the device if it fits]",
    ),
    ("--loader-workers", "N", "processes per variant that read a Dataset ahead [0]"),
    (
        "--validate-every",
        "N",
        "also measure on held-out data every N updates [at each epoch's end]",
    ),
    ("--measuring", "on|off", "measure noise scale and sharpness, in 2%% of the time [on]"),
)


def _add(
    group: argparse._ArgumentGroup,
    option: str,
    metavar: str,
    text: str,
    defaults: Mapping[str, str],
) -> None:
    """Add an option that a problem may have a default of its own for."""
    if option in defaults:
        text = re.sub(r"\[[^]]*\]$", f"[{defaults[option]}]", text)
    read = READERS[option.removeprefix("--").replace("-", "_")]
    group.add_argument(option, type=read, default=argparse.SUPPRESS, metavar=metavar, help=text)


def add_screen_options(parser: argparse.ArgumentParser, *, is_hidden: bool = False) -> None:
    """Give a parser what only the app heeds; `train` takes it, too, so that one line fits both."""
    screen = parser.add_argument_group(None if is_hidden else "screen")
    texts = (
        "dark, light or high-contrast [dark]",
        "maximum frames per second [10]",
        "keys to press automatically, after the first losses: '8s S 20s ? 3s q'",
    )
    theme_help, fps_help, keys_help = (argparse.SUPPRESS if is_hidden else text for text in texts)
    screen.add_argument("--theme", choices=THEMES, default="dark", metavar="NAME", help=theme_help)
    screen.add_argument("--fps", type=fps, default=10.0, metavar="N", help=fps_help)
    screen.add_argument("--keys", type=keys, default=(), metavar="SCRIPT", help=keys_help)


def read_options(
    typed: argparse.Namespace, *, default_pace: float | None, loaded: "Loaded | None" = None
) -> Options:
    """The run that was described; SettingsError when it makes no sense.

    `loaded`: what the loader found, of a problem that it had to load.
    """
    problem, data = read_data(typed)
    samples = find(problem).samples if loaded is None else loaded.n
    try:
        typed = with_defaults(typed, {} if loaded is None else loaded.defaults, default_pace)
    except SettingsError as error:
        file = file_of(problem)
        raise SettingsError(str(error) if file is None else f"{shown(file)}: {error}") from None
    variants = _variants(typed)
    if samples is not None:
        for variant in variants:
            variant.settings.resolve(samples)
    settings = _run_settings(
        typed, problem, data, variants, notes=() if loaded is None else loaded.warnings
    )
    return Options(
        settings=settings,
        notes=settings.notes + _above_all_samples(variants, samples),
        run_dir=typed.run_dir,
        theme=typed.theme,
        fps=typed.fps,
        keys=typed.keys,
    )


def _run_settings(
    typed: argparse.Namespace,
    problem: str,
    data: DataSettings | None,
    variants: tuple[Variant, ...],
    *,
    notes: tuple[str, ...],
) -> RunSettings:
    return RunSettings(
        variants=variants,
        problem=problem,
        data=data,
        epochs=typed.epochs,
        pace=typed.pace,
        seed=typed.seed,
        device=typed.device,
        threads=typed.threads,
        micro_batch=typed.micro_batch,
        data_on=typed.data_on,
        loader_workers=typed.loader_workers,
        validate_every=typed.validate_every,
        measuring=typed.measuring,
        notes=notes,
    )


def _above_all_samples(variants: tuple[Variant, ...], samples: int | None) -> tuple[str, ...]:
    """A note for each batch size that is above the number of samples; None: nobody knows it yet."""
    return tuple(
        f"{variant.name}: batch size {size:,} exceeds the {samples:,} samples; using full"
        for variant in variants
        if samples is not None
        and isinstance(size := variant.settings.batch_size, int)
        and size > samples
    )


def _variants(typed: argparse.Namespace) -> tuple[Variant, ...]:
    sizes: tuple[BatchSize, ...] = typed.batch_sizes
    count = len(sizes)
    names = default_names(sizes) if typed.names is None else typed.names
    if len(names) != count:
        raise SettingsError(f"--names: {len(names)} given for {_count(count)}; give one for each")
    rows = zip(
        names,
        sizes,
        _spread("--lr", typed.lr, count),
        _spread("--lr-scaling", typed.lr_scaling, count),
        _spread("--accumulation", typed.accumulation, count),
        _spread("--momentum", typed.momentum, count),
        _spread("--optimizer", typed.optimizer, count),
        strict=True,
    )
    return tuple(
        Variant(
            name=name,
            settings=VariantSettings(
                batch_size=size,
                lr=lr,
                base_batch=typed.base_batch,
                lr_scaling=rule,
                accumulation_steps=steps,
                momentum=momentum,
                optimizer=kind,
                drop_last=typed.drop_last,
            ),
        )
        for name, size, lr, rule, steps, momentum, kind in rows
    )


def _spread(option: str, values: tuple[Value, ...], count: int) -> tuple[Value, ...]:
    """Values for each variant, from one for each or one for all."""
    if len(values) not in (1, count):
        raise SettingsError(
            f"{option}: {len(values)} values for {_count(count)}; give one for all, or one for each"
        )
    return values if len(values) == count else values * count


def _count(variants: int) -> str:
    return "1 variant" if variants == 1 else f"{variants} variants"
