"""The promise beside a variant's plain loop: whether its losses equal those on the chart. Pure."""

from collections.abc import Iterator

from engine.problems.user_file import is_file
from engine.settings import Precision, RunSettings
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting

SAME = "The same losses, to rounding, from a plain PyTorch loop"
NOT_THE_SAME = "A plain PyTorch loop with these settings; its losses are not those on the chart"


def differences(one: VariantState, run: RunSettings) -> list[str]:
    """The reasons for which the loop's losses differ from those on the chart; none: they equal."""
    return list(_differences(one, run))


def heading(one: VariantState, run: RunSettings) -> str:
    """The line above the loop, which promises no more than is so."""
    return NOT_THE_SAME if differences(one, run) else SAME


def _differences(one: VariantState, run: RunSettings) -> Iterator[str]:
    tally = one.tally
    if one.current is not None and one.current.changes:
        changes = one.current.changes
        told = [formatting.difference(each.before, each.after, tally.n) for each in changes]
        yield (
            f"the settings changed while it trained ({'; '.join(filter(None, told))}); the loop "
            "has the last ones from the start, as a restart would"
        )
    elif one.wanted != tally.settings:
        yield "a change of settings is pending, and the loop has it already"
    if tally.planned_epochs != run.epochs and not tally.settings.has_constant_lr:
        yield f"the schedule of the lr spans {tally.planned_epochs} epochs here, {run.epochs} there"
    if is_file(run.problem):
        yield "random transforms of a Dataset draw other numbers there"
    if tally.device and not tally.device.startswith("cpu"):
        yield f"on {tally.device}, parallel sums are not added up in a fixed order"
    if (most := _pieces(one, run)) is not None:
        yield (
            f"batches are computed in pieces of at most {most:,} samples here, and whole there: "
            "layers that look at the batch, such as BatchNorm, and dropout see other samples"
        )
    if tally.settings.precision is not Precision.FP32:
        yield f"{tally.settings.precision} rounds coarsely"


def _pieces(one: VariantState, run: RunSettings) -> int | None:
    """Samples given to the device at once, where these are fewer than a batch."""
    most, now = one.tally.micro_batch or run.micro_batch, one.tally.resolved
    return most if most is not None and now is not None and most < now.batch_size else None
