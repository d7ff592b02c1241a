"""Facts about a problem's loss: the quantity it is averaged over, and the result of its audit."""

from enum import StrEnum
from typing import Final

import msgspec


class LossAverage(msgspec.Struct, frozen=True, kw_only=True):
    """The quantity that a loss is averaged over."""

    over: str
    """The quantity in words, such as "samples" or "targets other than −100"; "" for a sum."""
    weight: str = ""
    """The weight as a Python expression of `problem`, `output`, `target`; "" for samples and sums.
    """
    is_sum: bool = False
    """True if the loss is a sum: the losses of pieces are added and not divided."""


class LossKind(StrEnum):
    """The result of a loss's audit."""

    EXACT = "exact"
    """The losses of the pieces, weighted as in training, add up to the loss of the whole batch."""
    AVERAGE = "other average"
    """The loss is an average, but over something other than what its weights say."""
    SUM = "sum"
    """The loss is a sum, but is weighted as a mean."""
    BATCH = "whole batch"
    """The loss depends on the batch as a whole, so that no weights can combine its pieces."""
    UNKNOWN = "unknown"
    """The comparison is impossible, for example if the loss is random or not finite."""


class LossAudit(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a batch's loss with the weighted losses of its parts, before training."""

    kind: LossKind
    gap: float | None = None
    """Relative difference between the loss of all samples and the combined loss of two parts.

    None if either is not finite.
    """
    samples: int
    """Number of samples whose loss was computed, together and in parts."""
    part: int
    """Number of samples in the smaller part."""
    why: str = ""
    """The reason why the comparison is impossible."""
    remedy: str = ""
    """The argument of Problem that fixes it, such as `weight="sum"`; "" if none does."""

    @property
    def is_big_batch(self) -> bool | None:
        """True if the pieces add up to the whole batch, False if not; None if unknown."""
        return None if self.kind is LossKind.UNKNOWN else self.kind is LossKind.EXACT

    @property
    def sentence(self) -> str:
        """The result in one sentence, with the size of the difference and what to do about it."""
        return _SENTENCES[self.kind].format(
            samples=self.samples,
            part=self.part,
            rest=self.samples - self.part,
            gap="by an amount that is not finite"
            if self.gap is None
            else f"by {100 * self.gap:.3g}%",
            remedy=self.remedy,
            why=self.why,
        )


_COMPARED: Final = (
    "the loss of {samples} samples differs {gap} from that of {part} and {rest} of them combined"
)
_NOT_THE_BATCH: Final = "accumulated batches and micro-batches are not the big batch"
_SENTENCES: Final = {
    LossKind.EXACT: (
        "the loss of {samples} samples equals that of {part} and {rest} of them combined: "
        "accumulated batches and micro-batches equal the big batch"
    ),
    LossKind.AVERAGE: (
        f"{_COMPARED}: it averages over something other than what its weight says, such as valid "
        f"tokens or class weights, and {_NOT_THE_BATCH}; use Problem({{remedy}})"
    ),
    LossKind.SUM: (
        f"{_COMPARED}: it is a sum, and {_NOT_THE_BATCH}; use Problem({{remedy}}) or take the mean"
    ),
    LossKind.BATCH: (
        f"{_COMPARED}: it depends on the batch as a whole, and {_NOT_THE_BATCH}; compare batch "
        "sizes without accumulation or micro-batches"
    ),
    LossKind.UNKNOWN: (
        "the loss of {samples} samples cannot be compared with that of parts: {why}"
    ),
}
