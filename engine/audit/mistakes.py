"""The mistakes made in loops with gradient accumulation, and what to do about each."""

from enum import StrEnum
from typing import Final


class Mistake(StrEnum):
    """A known mistake in a training loop."""

    IGNORED_TOKENS = "ignored tokens"
    MEAN_OF_MEANS = "mean of means"
    SHORT_GROUP = "short last group divided by k"
    LEFT_OVER = "gradients left over at the epoch's end"
    NOT_DIVIDED = "gradients added, not averaged"
    NOT_CLEARED = "gradients not cleared after the update"
    SCALED_LOSS = "scaled loss logged"
    LR_PER_MICRO_BATCH = "lr stepped per micro-batch"
    WHOLE_BATCH = "loss of the batch as a whole"
    OTHER = "another difference"

    @property
    def advice(self) -> str:
        """The effect of the mistake, and its remedy."""
        return _ADVICE[self]


_ADVICE: Final = {
    Mistake.IGNORED_TOKENS: (
        "batches count the same, but the loss averages over something other than samples, such as "
        "valid tokens or class weights: add up sums, and divide by the total count of the group"
    ),
    Mistake.MEAN_OF_MEANS: (
        "a short batch counts as much as a full one: weight each batch by its samples, "
        "loss * len(batch) / samples of the group"
    ),
    Mistake.SHORT_GROUP: (
        "the last group is divided by more than it holds, so its update is too small: divide by "
        "its own samples"
    ),
    Mistake.LEFT_OVER: (
        "batches after the last full group get no update; their gradients are lost, or leak into "
        "the next epoch: also step after the last batch"
    ),
    Mistake.NOT_DIVIDED: (
        "an update is k times as large as the large batch's, as if its lr were k times larger: "
        "divide the loss by the number of batches in the group"
    ),
    Mistake.NOT_CLEARED: (
        "an update includes the gradients of earlier ones: call zero_grad after each step"
    ),
    Mistake.SCALED_LOSS: (
        "the loss is logged after it was divided for the update, so it looks k times smaller: "
        "log it before dividing"
    ),
    Mistake.LR_PER_MICRO_BATCH: (
        "the lr schedule advances with each micro-batch, k times too fast: step it with the "
        "optimiser"
    ),
    Mistake.WHOLE_BATCH: (
        "the loss depends on the batch as a whole, as contrastive losses do: no weights can make "
        "small batches equal a large one"
    ),
    Mistake.OTHER: "an update differs, and no known mistake explains it",
}
