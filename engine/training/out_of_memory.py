"""Recovery from out-of-memory errors: keep the finished batches and go on with smaller ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from engine.settings import VariantSettings
from engine.training.devices.errors import can_retry, without_frames

Result = TypeVar("Result")


def until_out_of_memory(results: Iterator[Result]) -> tuple[list[Result], Exception | None]:
    """Collect results until memory runs out; return them, and the error if there was one."""
    done = []
    try:
        for result in results:  # on an error, a comprehension would lose all results
            done.append(result)  # noqa: PERF402
    except Exception as error:
        if not can_retry(error):
            raise
        return done, without_frames(error)
    return done, None


@dataclass(frozen=True, slots=True)
class Retreat:
    """Settings that need less memory, with a note for the user."""

    settings: VariantSettings
    micro_batch: int | None
    """Samples per forward pass, if the settings stay and only this changes."""
    note: str


def retreat(
    settings: VariantSettings, n: int, *, at_once: int, worked: VariantSettings | None
) -> Retreat | None:
    """Settings to go on with after memory ran out; None when no smaller batch is left.

    `at_once`: samples in a forward pass, fewer than the batch of the settings where it is computed
    in pieces or a batch warm-up is under way. Both leave the losses the same with smaller pieces.
    Otherwise the last smaller batch size that worked is restored. If there was none, the batch is
    halved and accumulation keeps the effective batch; if two halves would not produce the same
    updates, the batch is computed in two pieces instead.
    """
    now = settings.resolve(n)
    if at_once == 1:
        return None
    said = f"out of memory with {at_once:,} samples at once"
    half = (at_once + 1) // 2
    in_pieces = Retreat(settings, half, f"{said}: computing the same batches in pieces of {half:,}")
    if at_once < now.batch_size:
        return in_pieces
    if worked is not None and worked.resolve(n).batch_size < now.batch_size:
        size = worked.batch_size
        back = replace(settings, batch_size=size, accumulation_steps=worked.accumulation_steps)
        return Retreat(
            back, None, f"{said}: back to a batch of {worked.resolve(n).batch_size:,}, which worked"
        )
    if not now.is_full and (now.batch_size % 2 or settings.drop_last):
        return in_pieces
    divided = settings.in_batches_of(half, n)
    size = divided.resolve(n).batch_size
    return Retreat(
        divided,
        None,
        f"{said}: now batches of {size:,}, the effective batch stays {now.effective_batch:,}",
    )
