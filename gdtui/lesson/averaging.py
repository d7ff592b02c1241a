"""A sentence on what a problem's loss averages over."""

from engine.settings import LossAverage


def sentence(average: LossAverage) -> str:
    """The average, and how pieces of a batch are combined accordingly."""
    if average.is_sum:
        return (
            "Its loss is a sum over samples: a larger batch has a larger loss and a larger "
            "gradient. Accumulated batches and pieces of one are added up; nothing is divided."
        )
    if not average.weight:
        return (
            "Its loss is a mean over samples: accumulated batches and pieces of one count by their "
            "samples, which gives the gradient of one large batch."
        )
    return (
        f"Its loss averages over {average.over}, not over samples: accumulated batches and pieces "
        "of one count by that, and the gradient is divided once the update is whole. A batch "
        "without any has no loss, is a gap in the chart, and adds nothing to its update."
    )
