"""The settings of a variant: batch size, lr and its scaling, accumulation, optimiser."""

import math
from collections import Counter
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.settings.basics import FULL, MOST, BatchSize, SettingsError
from engine.settings.optimizer import ParsedOptimizer, parse_optimizer
from engine.settings.recipe import LrSchedule, Precision, batch_divisor, in_samples

DEFAULT_BATCH_SIZES: Final[tuple[BatchSize, ...]] = (FULL, 64, 1)
"""The lesson's three variants: full-batch gradient descent, mini-batch SGD, SGD."""


class LrScaling(StrEnum):
    """Rules that scale the lr with the effective batch.

    Linear: Goyal et al. 2017, arXiv:1706.02677. Square root: Krizhevsky 2014, arXiv:1404.5997.
    """

    NONE = "none"
    LINEAR = "linear"
    SQRT = "sqrt"

    def scale(self, base_lr: float, base_batch: int, effective_batch: int) -> float:
        """The lr for `effective_batch` samples per update, if `base_lr` is for `base_batch`."""
        ratio = effective_batch / base_batch
        match self:
            case LrScaling.NONE:
                return base_lr
            case LrScaling.LINEAR:
                return base_lr * ratio
            case LrScaling.SQRT:
                return base_lr * math.sqrt(ratio)

    @property
    def following(self) -> "LrScaling":
        """The next rule in the cycle."""
        rules = list(LrScaling)
        return rules[(rules.index(self) + 1) % len(rules)]


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """Settings resolved for a training set of a given size."""

    batch_size: int
    """Samples per forward and backward pass; the last batch of an epoch may have fewer."""
    accumulation_steps: int
    """Batches per update; the last group of an epoch may have fewer."""
    effective_batch: int
    """Samples per update: min(batch × accumulation, n)."""
    lr: float
    """The lr in force: rule(base lr, effective batch ÷ base batch)."""
    is_full: bool
    """True if every update uses all n samples."""


class VariantSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A training configuration under comparison. Raises SettingsError for invalid values."""

    batch_size: BatchSize = 64
    """Samples per batch, or "full": all n samples per update, in `accumulation_steps` pieces."""
    lr: float = 0.01
    """The base lr, before scaling."""
    base_batch: int = 64
    """The effective batch for which the base lr is meant, where scaling has no effect."""
    lr_scaling: LrScaling = LrScaling.NONE
    accumulation_steps: int = 1
    momentum: float = 0.0
    optimizer: str = "sgd"
    """The case-insensitive name of a torch.optim class; "own" for the problem's optimiser.

    Arguments may follow by their names in torch: "adamw(weight_decay=0.1)".
    """
    drop_last: bool = False
    """Drop the incomplete last batch of an epoch, as torch's DataLoader does; not with "full"."""
    schedule: LrSchedule = LrSchedule.CONSTANT
    """The curve of the lr over the run; "own" for the problem's scheduler."""
    warmup: float = 0.0
    """The part of the run in which the lr rises from 0: below 1 a share of it, otherwise samples.
    """
    clip: float | None = None
    """The norm that larger gradients are scaled down to; None for no clipping."""
    precision: Precision = Precision.FP32
    batch_warmup: float = 0.0
    """The part of the run in which the batch grows to its size: as `warmup`."""

    def __post_init__(self) -> None:
        if self.batch_size != FULL and not (
            isinstance(self.batch_size, int) and 1 <= self.batch_size <= MOST
        ):
            raise SettingsError(
                f"batch size {self.batch_size!r}: expected a whole number from 1, or full"
            )
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise SettingsError(f"lr {self.lr:g}: expected a finite number above 0")
        if not 1 <= self.base_batch <= MOST:
            raise SettingsError(
                f"base batch {self.base_batch}: expected a whole number from 1 to 10¹²"
            )
        if not 1 <= self.accumulation_steps <= MOST:
            raise SettingsError(
                f"accumulation {self.accumulation_steps}: expected a whole number from 1 to 10¹²"
            )
        if not 0 <= self.momentum < 1:
            raise SettingsError(
                f"momentum {self.momentum:g}: must be from 0 up to, not including, 1"
            )
        if not self.optimizer.strip():
            raise SettingsError(
                "optimizer: expected the name of a torch.optim class, such as sgd or adam"
            )
        self._check_recipe()

    def _check_recipe(self) -> None:
        arguments = self.optimizer_parsed.arguments
        if self.momentum and "momentum" in arguments:
            raise SettingsError(
                "momentum is given twice: as a setting, and as an argument of the optimizer"
            )
        for name, span in (("warmup", self.warmup), ("batch warmup", self.batch_warmup)):
            if not 0 <= span <= MOST:
                raise SettingsError(
                    f"{name} {span:g}: expected a share of the run below 1, or samples"
                )
        if self.clip is not None and not (math.isfinite(self.clip) and self.clip > 0):
            raise SettingsError(f"clip {self.clip:g}: expected a norm above 0, or off")
        if self.schedule is LrSchedule.OWN and self.warmup:
            raise SettingsError("warmup: the problem's own schedule has its own; set it to 0")

    @property
    def optimizer_parsed(self) -> ParsedOptimizer:
        """The optimiser's name, and its arguments."""
        return parse_optimizer(self.optimizer)

    @property
    def has_constant_lr(self) -> bool:
        """True where no schedule and no warm-up changes the lr."""
        return self.schedule is LrSchedule.CONSTANT and not self.warmup

    def resolve(self, n: int) -> Resolved:
        """Resolve these settings for `n` training samples.

        A batch size of n or more means full. With drop_last, however, a batch size above n would
        drop every sample and raises SettingsError.
        """
        if self.batch_size == FULL or self.batch_size >= n:
            if self.drops_all(n):
                raise SettingsError(
                    f"batch size {self.batch_size:,} with drop_last drops all {n:,} samples; "
                    f"use at most {n:,}, or turn drop_last off"
                )
            batch_size = math.ceil(n / self.accumulation_steps)
            steps, effective, is_full = math.ceil(n / batch_size), n, True
        else:
            batch_size, steps = self.batch_size, self.accumulation_steps
            effective = min(batch_size * steps, n)
            is_full = False
        return Resolved(
            batch_size=batch_size,
            accumulation_steps=steps,
            effective_batch=effective,
            lr=self.lr_scaling.scale(self.lr, self.base_batch, effective),
            is_full=is_full,
        )

    def resolve_at(self, samples: int, n: int, planned: int) -> tuple[Resolved, float]:
        """Resolve the settings after so many of the `planned` samples of the run.

        Returns with them the samples at which the batch grows next; infinity once it does not.
        """
        resolved = self.resolve(n)
        divisor, end = batch_divisor(samples, in_samples(self.batch_warmup, planned))
        if divisor == 1:
            return resolved, end
        part = replace(self, batch_size=math.ceil(resolved.batch_size / divisor))
        return part.resolve(n), end

    def drops_all(self, n: int) -> bool:
        """True if drop_last would drop all `n` training samples."""
        return self.drop_last and self.batch_size != FULL and self.batch_size > n

    def in_batches_of(self, most: int, n: int) -> "VariantSettings":
        """Settings with the same effective batch, accumulated from batches of at most `most`.

        The largest batches that add up to it exactly. A full batch of `n` samples is split into
        equal pieces, the last of which may be shorter.
        """
        now = self.resolve(n)
        if now.is_full:
            return replace(self, batch_size=FULL, accumulation_steps=math.ceil(n / most))
        size = next(size for size in range(most, 0, -1) if now.batch_size % size == 0)
        return replace(
            self,
            batch_size=size,
            accumulation_steps=self.accumulation_steps * (now.batch_size // size),
        )


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant of the comparison: its name, fixed for the run, and its initial settings."""

    name: str
    settings: VariantSettings


def default_names(batch_sizes: tuple[BatchSize, ...]) -> tuple[str, ...]:
    """Default variant names: Batch GD (full), SGD (1), Mini-batch (anything between).

    Several mini-batches get their size, as in "Mini-batch 32"; duplicates get "#2", "#3" …
    """
    between = [size for size in batch_sizes if size not in (FULL, 1)]

    def plain(size: BatchSize) -> str:
        if size == FULL:
            return "Batch GD"
        if size == 1:
            return "SGD"
        return f"Mini-batch {size}" if len(between) > 1 else "Mini-batch"

    seen: Counter[str] = Counter()
    names = []
    for size in batch_sizes:
        name = plain(size)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return tuple(names)
