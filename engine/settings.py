"""Settings: one variant's training configuration, a whole run, and the lr-scaling rules.

Everything here is a frozen, validated value. The worker validates what only torch knows: devices and
names of optimisers.
"""

import math
import re
from collections import Counter
from enum import StrEnum
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

FULL: Final = "full"
BatchSize = int | Literal["full"]

DEFAULT_BATCH_SIZES: Final[tuple[BatchSize, ...]] = (FULL, 64, 1)
"""The lesson's three variants: full-batch gradient descent, mini-batch SGD, SGD."""


MOST: Final = 10**12
"""Upper limit of every count: beyond any use, within every number format."""


_MOST_LOADERS: Final = 256
VALIDATION_SHARE: Final = 0.2
"""Default share of the samples that is held out."""
MOST_HELD_OUT: Final = 0.9
_FILES: Final = ("table", "arrays")
"""Problems that consist of a file of the user's."""
_MODEL: Final = re.compile(r"linear|cnn|mlp:[1-9]\d{0,5}(,[1-9]\d{0,5})*")


class SettingsError(ValueError):
    """Settings that cannot be trained with; the message names the setting and what is allowed."""


class LrScaling(StrEnum):
    """Rules that scale the lr with the effective batch.

    Linear: Goyal et al. 2017, arXiv:1706.02677. Square root: Krizhevsky 2014, arXiv:1404.5997.
    """

    NONE = "none"
    LINEAR = "linear"
    SQRT = "sqrt"

    def scale(self, base_lr: float, base_batch: int, effective_batch: int) -> float:
        """The lr in force for `effective_batch` samples an update, given one for `base_batch`."""
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
        """The next rule when one steps through them."""
        rules = list(LrScaling)
        return rules[(rules.index(self) + 1) % len(rules)]


class DataOn(StrEnum):
    """The place of the training data during training."""

    AUTO = "auto"
    """The device if the data fit there."""
    DEVICE = "device"
    HOST = "host"


def parse_batch_size(text: str) -> BatchSize:
    """`"full"` or a whole number from 1; anything else raises SettingsError."""
    if text.strip().lower() == FULL:
        return FULL
    try:
        size = int(text)
    except ValueError:
        size = 0
    if size < 1:
        raise SettingsError(f"batch size {text.strip()!r}: expected a whole number from 1, or full")
    return size


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """Settings worked out for a training set of a given size."""

    batch_size: int
    """Samples in one forward and backward pass; the last one may hold fewer."""
    accumulation_steps: int
    """Batches behind one update; an epoch's last group may hold fewer."""
    effective_batch: int
    """Samples behind one update: min(batch × accumulation, n)."""
    lr: float
    """The lr in force: rule(base lr, effective batch ÷ base batch)."""
    is_full: bool
    """True when the batch is all n samples."""


class VariantSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training configuration under comparison. Raises SettingsError when it makes no sense."""

    batch_size: BatchSize = 64
    """Samples per batch, or "full": all n samples per update, in `accumulation_steps` pieces."""
    lr: float = 0.01
    """The base lr, before scaling."""
    base_batch: int = 64
    """The effective batch at which the base lr holds unscaled."""
    lr_scaling: LrScaling = LrScaling.NONE
    accumulation_steps: int = 1
    momentum: float = 0.0
    optimizer: str = "sgd"
    """The name of a torch.optim class, in any case; "own" for the problem's own optimiser."""
    drop_last: bool = False
    """Drop the incomplete last batch of an epoch, as torch's DataLoader does; "full" drops nothing."""

    def __post_init__(self) -> None:
        if self.batch_size != FULL and not (
            isinstance(self.batch_size, int) and 1 <= self.batch_size <= MOST
        ):
            raise SettingsError(f"batch size {self.batch_size!r}: expected a whole number from 1, or full")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise SettingsError(f"lr {self.lr:g}: expected a finite number above 0")
        if not 1 <= self.base_batch <= MOST:
            raise SettingsError(f"base batch {self.base_batch}: expected a whole number from 1 to 10¹²")
        if not 1 <= self.accumulation_steps <= MOST:
            raise SettingsError(
                f"accumulation {self.accumulation_steps}: expected a whole number from 1 to 10¹²"
            )
        if not 0 <= self.momentum < 1:
            raise SettingsError(f"momentum {self.momentum:g}: must be from 0 up to, not including, 1")
        if not self.optimizer.strip():
            raise SettingsError("optimizer: expected the name of a torch.optim class, such as sgd or adam")

    def resolve(self, n: int) -> Resolved:
        """Work these settings out for `n` training samples.

        A batch size of n or more means full, except with drop_last, where a batch above n would
        drop every sample: SettingsError.
        """
        if self.batch_size == FULL or self.batch_size >= n:
            if self.batch_size != FULL and self.batch_size > n and self.drop_last:
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

    def in_batches_of(self, most: int, n: int) -> "VariantSettings":
        """The same effective batch of `n` samples, accumulated from batches of at most `most`.

        The largest that add up to it exactly; full is cut into even pieces, the last of which may be shorter.
        """
        now = self.resolve(n)
        if now.is_full:
            return replace(self, batch_size=FULL, accumulation_steps=math.ceil(n / most))
        size = next(size for size in range(most, 0, -1) if now.batch_size % size == 0)
        return replace(
            self, batch_size=size, accumulation_steps=self.accumulation_steps * (now.batch_size // size)
        )


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant of the comparison. Its name is fixed for the run; the settings are its first."""

    name: str
    settings: VariantSettings


class DataSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of the user's own to train on. Whether it is there and fits is judged where it is read."""

    path: str
    target: str | None = None
    """The column of a table to predict."""
    model: str | None = None
    """linear, cnn or mlp:64,64 (widths of the hidden layers); None: the problem's default."""
    validation: float | None = None
    """The share of samples held out; None: VALIDATION_SHARE, or the file's own test part."""

    def __post_init__(self) -> None:
        if not self.path:
            raise SettingsError("data: expected the name of a file")
        if self.model is not None and not _MODEL.fullmatch(self.model):
            raise SettingsError(
                f"model {self.model!r}: expected linear, cnn, or mlp:64,64 (widths of hidden layers)"
            )
        if self.validation is not None and not 0 <= self.validation <= MOST_HELD_OUT:
            raise SettingsError(
                f"validation {self.validation:g}: expected a share from 0 to {MOST_HELD_OUT:g}"
            )

    @property
    def validation_share(self) -> float:
        """The share to hold out of a file without a test part."""
        return VALIDATION_SHARE if self.validation is None else self.validation


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One comparison: the variants, and what all of them share."""

    variants: tuple[Variant, ...]
    problem: str = "synthetic"
    """The name of a built-in problem, or FILE.py:FUNCTION."""
    data: DataSettings | None = None
    """The file's settings, for problems that are made of a file."""
    epochs: int = 20
    pace: float | None = None
    """Epochs per second for every variant; None trains as fast as the device goes."""
    seed: int = 0
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps; several, separated by commas, are assigned in turn."""
    threads: int | None = None
    """Intra-op threads per worker; None shares the cores among the workers."""
    micro_batch: int | None = None
    """Samples given to the device at once: a larger batch is computed exactly, in pieces."""
    data_on: DataOn = DataOn.AUTO
    loader_workers: int = 0
    """Processes that read a Dataset ahead, for each variant."""
    validate_every: int | None = None
    """Updates between two measurements on the held-out data; None: at each epoch's end only."""
    measuring: bool = True
    """Measure noise scale and sharpness now and then, in a small share of the time."""
    notes: tuple[str, ...] = ()
    """Notes on the problem for readers of the run, as its loader found them; one sentence each."""

    def __post_init__(self) -> None:
        if not self.variants:
            raise SettingsError("no variants: give at least one batch size")
        if len({variant.name for variant in self.variants}) < len(self.variants):
            raise SettingsError("names: every variant needs a unique name")
        if not 1 <= self.epochs <= MOST:
            raise SettingsError(f"epochs {self.epochs}: expected a whole number from 1 to 10¹²")
        if self.pace is not None and not (math.isfinite(self.pace) and self.pace > 0):
            raise SettingsError(f"pace {self.pace:g}: expected epochs per second above 0, or free")
        if not 0 <= self.seed < 2**63:
            raise SettingsError(f"seed {self.seed}: expected a whole number from 0 to 2⁶³ − 1")
        if self.threads is not None and self.threads < 1:
            raise SettingsError(f"threads {self.threads}: expected a whole number from 1")
        if self.micro_batch is not None and self.micro_batch < 1:
            raise SettingsError(f"micro-batch {self.micro_batch}: expected a whole number from 1")
        if not 0 <= self.loader_workers <= _MOST_LOADERS:
            raise SettingsError(f"loader workers {self.loader_workers}: must be from 0 to {_MOST_LOADERS}")
        if self.validate_every is not None and self.validate_every < 1:
            raise SettingsError(
                f"validate every {self.validate_every}: expected a whole number of updates from 1"
            )

    @property
    def title(self) -> str:
        """The problem in a few words: its name, a file, or a file's problem."""
        if self.data is not None:
            file = self.data.path.rpartition("/")[2]
            return file if self.problem in _FILES else f"{self.problem} · {file}"
        return self.problem.rpartition("/")[2].removesuffix(":problem")

    def device_of(self, place: int) -> str:
        """The device of the variant at this place, from 0."""
        devices = self.device.split(",")
        return devices[place % len(devices)].strip()


def default_names(batch_sizes: tuple[BatchSize, ...]) -> tuple[str, ...]:
    """Batch GD (full), SGD (1), Mini-batch (between).

    Several mini-batches carry their size, "Mini-batch 32"; what is still the same gets "#2".
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
