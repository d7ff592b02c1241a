"""The content of one printed text, before it is known which step of the training it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """The forms that are recognised, as they are named to the user."""

    TQDM = "tqdm bar"
    LIGHTNING = "Lightning bar"
    KERAS = "Keras"
    TRAINER = "HF Trainer"
    NANOGPT = "nanoGPT"
    PAIRS = "key: value"
    PATTERN = "--pattern"


@dataclass(frozen=True, slots=True)
class Printed:
    """Numbers printed together."""

    form: Form
    values: Mapping[str, float] = field(default_factory=dict)
    """Losses, learning rates and other scalars, by their names as printed."""
    step: int | None = None
    """The step, batch or iteration, as printed."""
    total: int | None = None
    """Steps in all, or in the epoch."""
    epoch: float | None = None
    """The epoch as printed: it may have a fraction, and may count from 0."""
    epochs: int | None = None
    """Epochs in all, as in "Epoch 3/10"."""
    label: str = ""
    """The description in front of a bar, without its numbers; bars differ by it."""

    units: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The units that are printed after values, such as "%", by the values' names."""

    @property
    def is_of_epoch(self) -> bool:
        """True for a line about an epoch rather than a step, which may print the epoch's mean."""
        is_line = self.form in (Form.PAIRS, Form.NANOGPT, Form.PATTERN)
        return is_line and self.step is None and self.epoch is not None

    @property
    def is_bar(self) -> bool:
        """True for a bar, which is drawn many times with the same numbers."""
        return self.form in (Form.TQDM, Form.LIGHTNING, Form.KERAS)
