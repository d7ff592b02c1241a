"""The next settings of one variant, for each key that changes them.

Each function returns the settings to change to, or the reason why there are none.
"""

from msgspec.structs import replace

from engine.settings import FULL, VariantSettings
from gdtui.control.settings import ladders
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting

_LOADING = "its data are still being loaded"


def batch(one: VariantState, step: int) -> VariantSettings | str:
    """Half the batch size (−1), or twice (1)."""
    if not one.tally.n:
        return _LOADING
    size = ladders.next_batch_size(one.wanted.batch_size, one.tally.n, step)
    if size is None:
        return "the batch is full already" if step > 0 else "the batch is 1 already"
    return replace(one.wanted, batch_size=size)


def lr(one: VariantState, step: int) -> VariantSettings | str:
    """The base lr a rung down (−1) or up (1)."""
    rung = ladders.next_lr(one.wanted.lr, step)
    if rung is None:
        last = formatting.setting(one.wanted.lr)
        return f"lr {last} is the end of the ladder; enter takes any value"
    return replace(one.wanted, lr=rung)


def accumulation(one: VariantState, step: int) -> VariantSettings | str:
    """Half as many accumulated batches (−1), or twice (1)."""
    wanted = one.wanted
    if not one.tally.n:
        return _LOADING
    batches = ladders.next_accumulation(
        wanted.accumulation_steps, wanted.batch_size, one.tally.n, step
    )
    if batches is not None:
        return replace(wanted, accumulation_steps=batches)
    if step < 0:
        return "accumulation is ×1 already"
    is_full = wanted.batch_size == FULL
    return f"{'each piece is one sample' if is_full else 'an update holds all samples'} already"


def accumulate(one: VariantState) -> VariantSettings | str:
    """Half the batch and twice the accumulation: the same effective batch, in less memory.

    If memory ran out, restore the effective batch by accumulating batches of the size that fits.
    """
    n, wanted = one.tally.n, one.wanted
    if not n:
        return _LOADING
    size = wanted.resolve(n).batch_size
    if one.too_large is not None and wanted == one.tally.settings:
        return one.too_large.in_batches_of(size, n)
    return wanted.in_batches_of(size // 2, n) if size > 1 else "the batch is 1 already"


def momentum(one: VariantState) -> VariantSettings | str:
    """Momentum 0.9 instead of 0, or 0 instead of any other."""
    if "momentum" in one.wanted.optimizer_parsed.arguments:
        return "the optimizer's arguments set its momentum; enter changes them"
    return replace(one.wanted, momentum=0.0 if one.wanted.momentum else ladders.MOMENTUM)
