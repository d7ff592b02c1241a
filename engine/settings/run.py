"""The settings of a whole run: its variants, its data, and what all variants share."""

import math
import re
from enum import StrEnum
from typing import Final

import msgspec

from engine.settings.basics import MOST, SettingsError
from engine.settings.data_reading import DataReading
from engine.settings.loss import LossAudit
from engine.settings.ranges import Ordinal, Seconds
from engine.settings.variant import Variant

VALIDATION_SHARE: Final = 0.2
"""Default share of held-out samples."""
MOST_HELD_OUT: Final = 0.9
_MOST_LOADERS: Final = 256
_FILES: Final = ("table", "arrays")
"""Problems that consist of a user's data file."""
_MODEL: Final = re.compile(r"linear|cnn|mlp:[1-9]\d{0,5}(,[1-9]\d{0,5})*")


class DataOn(StrEnum):
    """The place of the training data during training."""

    AUTO = "auto"
    """On the device if the data fits there."""
    DEVICE = "device"
    HOST = "host"


class Compilation(StrEnum):
    """When updates are computed by a compiled step, which is built while the eager one trains."""

    AUTO = "auto"
    """If small operations take up the time, and at least a minute of training is left."""
    ON = "on"
    """As soon as it is built."""
    OFF = "off"
    """Never: equal seeds give equal bits, whenever a compiled step would have been ready."""


class DataSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user's data file to train on. The code that reads the file checks its content."""

    path: str
    target: str | None = None
    """The column of a table that the model predicts."""
    model: str | None = None
    """linear, cnn or mlp:64,64 (widths of the hidden layers); None for the problem's default."""
    validation: float | None = None
    """The share of held-out samples; None for VALIDATION_SHARE or the test part in the file."""
    leave_out: tuple[str, ...] = ()
    """Columns of a table that are no inputs."""
    as_number: tuple[str, ...] = ()
    """Columns to read as numbers, their words as missing values; "target" for that of arrays."""
    as_text: tuple[str, ...] = ()
    """Columns to read as words."""
    as_classes: tuple[str, ...] = ()
    """Columns whose different values are classes, numbers too; "target" for that of arrays."""
    drop_missing_target: bool = False
    """Leave out rows without a target."""
    encoding: str | None = None
    """The encoding of a text file; None: by its byte-order mark, or else UTF-8."""
    separator: str | None = None
    """The character between fields, or its name; None: judged by the rows."""
    decimal: str | None = None
    """The decimal sign where a column allows both; None: the user is asked."""
    no_header: bool = False
    """The first line is a row, not the columns' names."""

    def __post_init__(self) -> None:
        if not self.path:
            raise SettingsError("data: expected a file name")
        if self.decimal not in (None, ".", ","):
            raise SettingsError(f"decimal {self.decimal!r}: expected . or ,")
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
        """The share of samples to hold out if the file has no test part."""
        return VALIDATION_SHARE if self.validation is None else self.validation


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a comparison: the variants, and what all of them share."""

    variants: tuple[Variant, ...]
    problem: str = "synthetic"
    """The name of a built-in problem, or FILE.py:FUNCTION."""
    data: DataSettings | None = None
    """The data file and its settings, for problems built from a file."""
    epochs: int = 20
    pace: float | None = None
    """Epochs per second for every variant; None trains as fast as the device can."""
    seed: int = 0
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps; a comma-separated list is assigned to variants in turn."""
    threads: Ordinal | None = None
    """Intra-op threads per worker; None divides the cores among the workers."""
    micro_batch: Ordinal | None = None
    """Maximum number of samples given to the device at once; larger batches are split exactly."""
    data_on: DataOn = DataOn.AUTO
    loader_workers: int = 0
    """Processes per variant that read a Dataset ahead."""
    compile: Compilation = Compilation.OFF
    """When updates are computed by a compiled step, several in one call."""
    validate_every: Ordinal | None = None
    """Updates between two evaluations on held-out data; None evaluates only at epoch ends."""
    checkpoint_every: Seconds = 60.0
    """Seconds between two checkpoints, if their cost allows; 0 keeps none."""
    checkpoint_disk: Ordinal = 1 << 30
    """Bytes that the checkpoints of all variants may take."""
    measuring: bool = True
    """True to measure noise scale and sharpness periodically, in a small share of the time."""
    notes: tuple[str, ...] = ()
    """Notes of the loader on the problem, for readers of the run; one sentence each."""
    audit: LossAudit | None = None
    """Comparison of a batch's loss with the losses of its parts; None if no loader is needed."""
    reading: DataReading | None = None
    """The reading of the data file; None for problems without one."""
    is_script: bool = False
    """True if a loop in a user's script trains it: `problem` is then the script's name."""

    def __post_init__(self) -> None:
        if not self.variants:
            raise SettingsError("no variants: expected at least one batch size")
        if len({variant.name for variant in self.variants}) < len(self.variants):
            raise SettingsError("names: every variant needs a unique name")
        if not 1 <= self.epochs <= MOST:
            raise SettingsError(f"epochs {self.epochs}: expected a whole number from 1 to 10¹²")
        if self.pace is not None and not (math.isfinite(self.pace) and self.pace > 0):
            raise SettingsError(f"pace {self.pace:g}: expected epochs per second above 0, or free")
        if not 0 <= self.seed < 2**63:
            raise SettingsError(f"seed {self.seed}: expected a whole number from 0 to 2⁶³ − 1")
        self._check_execution()
        if not (math.isfinite(self.checkpoint_every) and self.checkpoint_every >= 0):
            raise SettingsError(
                f"checkpoint every {self.checkpoint_every:g}: expected seconds from 0 (never)"
            )
        if self.checkpoint_disk < 1:
            raise SettingsError(f"checkpoint disk {self.checkpoint_disk}: expected bytes from 1")

    def _check_execution(self) -> None:
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
        """The problem in a few words: its name, the data file, or both."""
        if self.data is not None:
            file = self.data.path.rpartition("/")[2]
            return file if self.problem in _FILES else f"{self.problem} · {file}"
        return self.problem.rpartition("/")[2].removesuffix(":problem")

    def device_of(self, place: int) -> str:
        """The device of the variant with this index, from 0."""
        devices = self.device.split(",")
        return devices[place % len(devices)].strip()
