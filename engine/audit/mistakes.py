"""The mistakes that loops with gradient accumulation make, and what to do about each."""

from enum import StrEnum
from typing import Final


class Mistake(StrEnum):
    """A known mistake of a training loop."""

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
        """The meaning of it, and what to do about it."""
        return _ADVICE[self]


_ADVICE: Final = {
    Mistake.IGNORED_TOKENS: (
        "batches count alike, but the loss averages over something else than samples, such as "
        "valid tokens or class weights: add up sums, and divide by all that counts in the group"
    ),
    Mistake.MEAN_OF_MEANS: (
        "a short batch counts as much as a full one: weight each by its samples, "
        "loss * len(batch) / samples of the group"
    ),
    Mistake.SHORT_GROUP: (
        "the last group is divided by more than it holds, so its update is too small: divide by "
        "its own samples"
    ),
    Mistake.LEFT_OVER: (
        "batches after the last full group get no update; their gradients are lost, or leak into "
        "the next epoch: step after the last batch, too"
    ),
    Mistake.NOT_DIVIDED: (
        "an update is k times that of the large batch, as if its lr were k times larger: divide "
        "the loss by the batches of the group"
    ),
    Mistake.NOT_CLEARED: (
        "an update holds the gradients of those before it: call zero_grad after each step"
    ),
    Mistake.SCALED_LOSS: (
        "the loss is logged after it was divided for the update, so it seems to be k times "
        "smaller: log it before"
    ),
    Mistake.LR_PER_MICRO_BATCH: (
        "the lr's schedule goes on with each micro-batch, k times too fast: step it with the "
        "optimiser"
    ),
    Mistake.WHOLE_BATCH: (
        "the loss depends on the batch as a whole, as contrastive losses do: no weights make small "
        "batches the large one"
    ),
    Mistake.OTHER: "an update differs, and no mistake that is known explains it",
}
