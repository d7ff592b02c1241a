"""What to train with after memory ran out: pure arithmetic on settings, no torch."""

from dataclasses import dataclass

from msgspec.structs import replace

from engine.settings import FULL, VariantSettings


@dataclass(frozen=True, slots=True)
class Retreat:
    """Settings that need less memory, and what to tell the user."""

    settings: VariantSettings
    micro_batch: int | None
    """Samples to give the device at once, where that is what changes."""
    note: str


def retreat(
    settings: VariantSettings, n: int, *, micro_batch: int, worked: VariantSettings | None
) -> Retreat | None:
    """A step back from settings at which memory ran out; None when no smaller batch is left.

    Batches that are computed in pieces get smaller pieces: the same losses. Else the last smaller batch
    that worked comes back; with none, the batch is halved, at the same effective batch by accumulation,
    or computed in two pieces where halves do not make up the same updates.
    """
    now = settings.resolve(n)
    at_once = min(micro_batch, now.batch_size)
    if at_once == 1:
        return None
    said = f"out of memory at {at_once:,} samples at once"
    half = (at_once + 1) // 2
    in_pieces = Retreat(settings, half, f"{said}: the same batches in pieces of {half:,}")
    if micro_batch < now.batch_size:
        return in_pieces
    if worked is not None and worked.resolve(n).batch_size < now.batch_size:
        size = worked.batch_size
        back = replace(settings, batch_size=size, accumulation_steps=worked.accumulation_steps)
        return Retreat(
            back, None, f"{said}: back to a batch of {worked.resolve(n).batch_size:,}, which worked"
        )
    if not now.is_full and (now.batch_size % 2 or settings.drop_last):
        return in_pieces
    divided = accumulated(settings, n, half)
    size = divided.resolve(n).batch_size
    return Retreat(
        divided, None, f"{said}: batches of {size:,}, the effective batch stays {now.effective_batch:,}"
    )


def accumulated(settings: VariantSettings, n: int, most: int) -> VariantSettings:
    """The same effective batch, accumulated from batches of at most `most` samples (from 1 to the batch's).

    Of batches that add up to it exactly the largest; full is cut into even pieces, the last may be shorter.
    """
    now = settings.resolve(n)
    if now.is_full:
        return replace(settings, batch_size=FULL, accumulation_steps=-(-n // most))
    size = next(size for size in range(most, 0, -1) if now.batch_size % size == 0)
    return replace(
        settings, batch_size=size, accumulation_steps=settings.accumulation_steps * (now.batch_size // size)
    )
