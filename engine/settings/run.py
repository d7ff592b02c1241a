"""A whole run's settings: its variants, the data, and what all variants share."""

import math
import re
from enum import StrEnum
from typing import Final

import msgspec

from engine.settings.basics import MOST, SettingsError
from engine.settings.loss import LossAudit
from engine.settings.ranges import Ordinal
from engine.settings.variant import Variant

VALIDATION_SHARE: Final = 0.2
"""Default share of the samples that is held out."""
MOST_HELD_OUT: Final = 0.9
_MOST_LOADERS: Final = 256
_FILES: Final = ("table", "arrays")
"""Problems that consist of a file of the user's."""
_MODEL: Final = re.compile(r"linear|cnn|mlp:[1-9]\d{0,5}(,[1-9]\d{0,5})*")


class DataOn(StrEnum):
    """The place of the training data during training."""

    AUTO = "auto"
    """The device if the data fit there."""
    DEVICE = "device"
    HOST = "host"


class DataSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of the user's own to train on.

    Whether it is there and fits is judged where it is read.
    """

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
                f"model {self.model!r}: expected linear, cnn, or mlp:64,64 (widths of hidden "
                "layers)"
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
    threads: Ordinal | None = None
    """Intra-op threads per worker; None shares the cores among the workers."""
    micro_batch: Ordinal | None = None
    """Samples given to the device at once: a larger batch is computed exactly, in pieces."""
    data_on: DataOn = DataOn.AUTO
    loader_workers: int = 0
    """Processes that read a Dataset ahead, for each variant."""
    validate_every: Ordinal | None = None
    """Updates between two measurements on the held-out data; None: at each epoch's end only."""
    measuring: bool = True
    """Measure noise scale and sharpness now and then, in a small share of the time."""
    notes: tuple[str, ...] = ()
    """Notes on the problem for readers of the run, as its loader found them; one sentence each."""
    audit: LossAudit | None = None
    """The comparison of the loss with that of its parts; None for problems that need no loader."""

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
            raise SettingsError(
                f"loader workers {self.loader_workers}: must be from 0 to {_MOST_LOADERS}"
            )
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
