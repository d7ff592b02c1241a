"""Memory that runs out: recognise it, keep what was done, and train on with less at once."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from msgspec.structs import replace

from engine.settings import VariantSettings

Result = TypeVar("Result")


def is_out_of_memory(error: BaseException) -> bool:
    """Memory ran out: torch's own error on a GPU, a plain RuntimeError on the CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "not enough memory" in str(error)
    )


def release_memory(device: torch.device) -> None:
    """Give back what torch keeps for later on a GPU; its kernels may have failed, too."""
    with contextlib.suppress(RuntimeError):
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()


def until_out_of_memory(results: Iterator[Result]) -> tuple[list[Result], Exception | None]:
    """Collect results until memory runs out; return those there are, and the error if it did."""
    done = []
    try:
        for result in results:  # a comprehension would lose all of them on an error
            done.append(result)  # noqa: PERF402
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        # Drop its frames: they keep the tensors that fill the memory.
        return done, error.with_traceback(None)
    return done, None


@dataclass(frozen=True, slots=True)
class Retreat:
    """Settings that need less memory, and the note for the user."""

    settings: VariantSettings
    micro_batch: int | None
    """Samples to give the device at once, where that is what changes."""
    note: str


def retreat(
    settings: VariantSettings, n: int, *, micro_batch: int, worked: VariantSettings | None
) -> Retreat | None:
    """A step back from settings at which memory ran out; None when no smaller batch is left.

    Batches that are computed in pieces get smaller pieces: the same losses. Else the last smaller
    batch that worked comes back; with none, the batch is halved, at the same effective batch by
    accumulation, or computed in two pieces where halves do not make up the same updates.
    """
    now = settings.resolve(n)
    at_once = min(micro_batch, now.batch_size)
    if at_once == 1:
        return None
    said = f"out of memory at {at_once:,} samples at once"
    half = (at_once + 1) // 2
    in_pieces = Retreat(settings, half, f"{said}: computing the same batches in pieces of {half:,}")
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
    divided = settings.in_batches_of(half, n)
    size = divided.resolve(n).batch_size
    return Retreat(
        divided,
        None,
        f"{said}: batches of {size:,}, the effective batch stays {now.effective_batch:,}",
    )
