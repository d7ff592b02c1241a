"""Facts about a problem's loss: what it is averaged over, and what its audit found."""

from enum import StrEnum
from typing import Final

import msgspec


class LossAverage(msgspec.Struct, frozen=True, kw_only=True):
    """The quantity that a loss is averaged over."""

    over: str
    """In words, such as "samples" or "targets other than −100"; "" for a sum."""
    weight: str = ""
    """The weight as a Python expression of `problem`, `output` and `target`; "" for samples, sums.
    """
    is_sum: bool = False
    """The loss is a sum: pieces are added up, and nothing is divided."""


class LossKind(StrEnum):
    """The result of a loss's audit."""

    EXACT = "exact"
    """Pieces come to the whole, weighted as training weights them."""
    AVERAGE = "other average"
    """It is an average, but over something else than its weights say."""
    SUM = "sum"
    """It is a sum, but is weighted as a mean."""
    BATCH = "whole batch"
    """It depends on the batch as a whole, so that no weights put its pieces together."""
    UNKNOWN = "unknown"
    """Nothing can be compared: it draws at random, say, or is not finite."""


class LossAudit(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a loss with its weighted parts, before training."""

    kind: LossKind
    gap: float | None = None
    """Relative difference between the loss of the samples and that put together of two parts.

    None where one of them is not finite.
    """
    samples: int
    """Samples whose loss was computed, whole and in parts."""
    part: int
    """Samples in the smaller part."""
    why: str = ""
    """The reason why nothing can be compared."""
    remedy: str = ""
    """The argument of Problem that mends it, such as `weight="sum"`; "" where none does."""

    @property
    def is_big_batch(self) -> bool | None:
        """True when pieces come to the whole batch, False when not; None when that is unknown."""
        return None if self.kind is LossKind.UNKNOWN else self.kind is LossKind.EXACT

    @property
    def sentence(self) -> str:
        """The result, its size, and what to do about it."""
        return _SENTENCES[self.kind].format(
            samples=self.samples,
            part=self.part,
            rest=self.samples - self.part,
            gap="beyond measure" if self.gap is None else f"by {100 * self.gap:.3g}%",
            remedy=self.remedy,
            why=self.why,
        )


_COMPARED: Final = (
    "the loss of {samples} samples differs {gap} from that of {part} and {rest} of them combined"
)
_NOT_THE_BATCH: Final = "accumulated batches and pieces are not the big batch"
_SENTENCES: Final = {
    LossKind.EXACT: (
        "the loss of {samples} samples is that of {part} and {rest} of them combined: "
        "accumulated batches and pieces are the big batch"
    ),
    LossKind.AVERAGE: (
        f"{_COMPARED}: it averages over something else than its weight says, such as valid tokens "
        f"or class weights, and {_NOT_THE_BATCH}; give Problem({{remedy}})"
    ),
    LossKind.SUM: (
        f"{_COMPARED}: it is a sum, and {_NOT_THE_BATCH}; give Problem({{remedy}}) or take the mean"
    ),
    LossKind.BATCH: (
        f"{_COMPARED}: it depends on the batch as a whole, and {_NOT_THE_BATCH}; compare batch "
        "sizes without accumulation and micro-batches"
    ),
    LossKind.UNKNOWN: "the loss of {samples} samples cannot be compared with that of parts: {why}",
}
