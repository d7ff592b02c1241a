"""Claims of the lesson about the order of the losses, held against what was measured. Pure."""

import math
from collections.abc import Sequence

from gdtui.state.variant import VariantState
from gdtui.view.text.caveats.label import label


def most_updates_lead(states: Sequence[VariantState]) -> bool | None:
    """True if the lowest loss on all data is that of the variant with the most updates.

    None where fewer than two have such a loss after an epoch, or none made more than the others.
    """
    known = [
        one for one in states if one.tally.full_loss_epoch and math.isfinite(one.tally.full_loss)
    ]
    if len(known) < 2 or len({one.tally.updates for one in known}) < 2:
        return None
    most = max(one.tally.updates for one in known)
    lowest = min(one.tally.full_loss for one in known)
    return any(one.tally.updates == most and one.tally.full_loss == lowest for one in known)


def contradiction(states: Sequence[VariantState]) -> str:
    """A sentence where more updates did not bring more progress; empty otherwise."""
    if most_updates_lead(states) is not False:
        return ""
    known = [one for one in states if math.isfinite(one.tally.full_loss)]
    best = min(known, key=lambda one: one.tally.full_loss)
    most = max(known, key=lambda one: one.tally.updates)
    return (
        f"✗ Contradicted here: {label(most)} made the most updates, but {label(best)} has the "
        "lowest loss on all data."
    )
