"""The settings of a run from the values of its options, validated.

Touches no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from engine.problems.error_messages import shown
from engine.problems.registry import find
from engine.problems.user_file import file_of
from engine.settings import (
    BatchSize,
    RunSettings,
    SettingsError,
    Variant,
    VariantSettings,
    default_names,
)
from gdtui.cli.options.choices import in_force
from gdtui.cli.options.data import read_data

if TYPE_CHECKING:
    import click

    from engine.problems.loader import Loaded

OF_A_VARIANT: Final = {
    "lr": "lr",
    "lr_scaling": "lr_scaling",
    "accumulation": "accumulation_steps",
    "momentum": "momentum",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "warmup": "warmup",
    "clip": "clip",
    "precision": "precision",
    "batch_warmup": "batch_warmup",
}
"""Options with a value for each variant, and the fields that they set."""
OF_ALL_VARIANTS: Final = ("base_batch", "drop_last")
OF_THE_RUN: Final = (
    *("epochs", "pace", "seed", "device", "threads", "micro_batch"),
    *("data_on", "loader_workers", "compile", "validate_every", "measuring"),
    *("checkpoint_every", "checkpoint_disk"),
)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The run that the options describe."""

    settings: RunSettings
    notes: tuple[str, ...]
    """Notes for the user on how the options were understood."""


def read_options(ctx: "click.Context", loaded: "Loaded | None" = None) -> RunOptions:
    """The run that the options describe; SettingsError if they make no sense.

    `loaded`: what the loader found, for a problem that had to be loaded.
    """
    problem, data = read_data(ctx.params)
    samples = find(problem).samples if loaded is None else loaded.n
    try:
        values = in_force(ctx, {} if loaded is None else loaded.defaults)
    except SettingsError as error:
        file = file_of(problem)
        raise SettingsError(str(error) if file is None else f"{shown(file)}: {error}") from None
    variants = _variants(values)
    if samples is not None:
        for variant in variants:
            variant.settings.resolve(samples)
    settings = RunSettings(
        variants=variants,
        problem=problem,
        data=data,
        notes=() if loaded is None else loaded.warnings,
        audit=None if loaded is None else loaded.audit,
        reading=None if loaded is None else loaded.reading,
        **{name: values[name] for name in OF_THE_RUN},
    )
    read = () if settings.reading is None else (settings.reading.sentence,)
    return RunOptions(settings, read + settings.notes + _above_all_samples(variants, samples))


def _above_all_samples(variants: tuple[Variant, ...], samples: int | None) -> tuple[str, ...]:
    """A note for each batch size above the number of samples, which is None while unknown."""
    return tuple(
        f"{variant.name}: batch size {size:,} exceeds the {samples:,} samples; using full"
        for variant in variants
        if samples is not None
        and isinstance(size := variant.settings.batch_size, int)
        and size > samples
    )


def _variants(values: Mapping[str, Any]) -> tuple[Variant, ...]:
    sizes: tuple[BatchSize, ...] = values["batch_sizes"]
    count = len(sizes)
    names = values["names"] or default_names(sizes)
    if len(names) != count:
        raise SettingsError(f"--names: {len(names)} given for {_count(count)}; give one for each")
    common = {name: values[name] for name in OF_ALL_VARIANTS}
    columns = {
        field: _spread(option, values[option], count) for option, field in OF_A_VARIANT.items()
    }
    return tuple(
        Variant(
            name=name,
            settings=VariantSettings(
                batch_size=size, **common, **{field: each[k] for field, each in columns.items()}
            ),
        )
        for k, (name, size) in enumerate(zip(names, sizes, strict=True))
    )


def _spread(option: str, values: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """A value for each variant, from one for each or one for all."""
    if len(values) not in (1, count):
        raise SettingsError(
            f"--{option.replace('_', '-')}: {len(values)} values for {_count(count)}; "
            "give one for all, or one for each"
        )
    return values if len(values) == count else values * count


def _count(variants: int) -> str:
    return "1 variant" if variants == 1 else f"{variants} variants"
