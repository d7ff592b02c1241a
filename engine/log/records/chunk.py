"""The losses of consecutive batches, as one record."""

import struct
from collections.abc import Iterator, Sequence

import msgspec

from engine.log.records.base import Record
from engine.settings.ranges import (
    Count,
    Duration,
    Identifier,
    Ordinal,
    Rate,
    Seconds,
    UpdatesPerCall,
)


class Chunk(Record, frozen=True, kw_only=True):
    """Losses of consecutive batches under the same settings, in part of an epoch or several epochs.

    Everything about each batch follows from this header. Within one epoch, batch i (from 0) has the
    number `batch + i`, holds `batch_size` samples (the last one `last_batch_size`), starts at
    `samples + i × batch_size` and contributes to `update + (in_update + i) // accumulation_steps`.
    If the chunk holds several epochs, they are whole and all have the same layout.
    """

    generation: Ordinal
    epoch: Ordinal
    """The epoch of the first batch."""
    epochs: Ordinal = 1
    """Number of whole epochs, all with the same layout; 1 also for a part of an epoch."""
    batch: Ordinal
    """Number of the chunk's first batch."""
    update: Ordinal
    """The update to which the first batch contributes."""
    in_update: Count
    """Batches of that update done before this chunk; 0 if the chunk holds several epochs."""
    samples: Count
    """Samples trained on before the first batch."""
    seconds: Seconds
    """Training time before the first batch, excluding pauses, waits for the pace, measurements."""
    duration: Duration
    """Training time of these batches."""
    batch_size: Ordinal
    last_batch_size: Ordinal
    """Samples in the last batch of each epoch."""
    accumulation_steps: Ordinal
    """Batches per update, as resolved for the training set."""
    compiled: UpdatesPerCall = 0
    """Updates in each call of the compiled step; 0 if every batch was trained by the eager step.

    In each epoch of the chunk, as many calls came first as its full batches have room for; the
    eager step trained the rest, but for the short group of `compiled_end`.
    """
    compiled_end: bool = False
    """True if a program of its own trained the short group that ends each epoch."""
    lr: Rate | bytes
    """The lr of the first parameter group: of all updates; or little-endian float64, one for each
    update that the batches contribute to. `lrs` has them as numbers.
    """
    clipped: Count = 0
    """Updates that ended here with a gradient above the clipping norm."""
    skipped: Count = 0
    """Updates that ended here and were skipped: their fp16 gradients overflowed."""
    behind: bool = False
    """True if the variant could not keep the pace."""
    peak_memory: Identifier = 0
    """Peak bytes so far: tensors on CUDA, total on MPS, resident on the CPU; 0 if unknown."""
    losses: bytes
    """Mean loss of each batch before its update: little-endian float32, 4 bytes a batch."""
    weightless: tuple[Count, ...] = ()
    """Batches (from 0) without targets that count, as if all are ignored; 0 in `losses`."""

    @property
    def batches(self) -> int:
        return len(self.losses) // 4

    @property
    def epoch_batches(self) -> int:
        """Batches in each of the epochs, or in the part of an epoch."""
        return self.batches // self.epochs

    @property
    def epoch_samples(self) -> int:
        """Samples in each of the epochs, or in the part of an epoch."""
        return (self.epoch_batches - 1) * self.batch_size + self.last_batch_size

    @property
    def epoch_updates(self) -> int:
        """Updates in each of several epochs; no group extends beyond the end of an epoch."""
        return -(-self.epoch_batches // self.accumulation_steps)

    @property
    def last_epoch(self) -> int:
        """The epoch of the last batch."""
        return self.epoch + self.epochs - 1

    @property
    def end_samples(self) -> int:
        """Samples trained on after the last batch."""
        return self.samples + self.epochs * self.epoch_samples

    @property
    def last_update(self) -> int:
        """The update to which the last batch contributes."""
        before = self.update + (self.epochs - 1) * self.epoch_updates
        return before + (self.in_update + self.epoch_batches - 1) // self.accumulation_steps

    @property
    def done_updates(self) -> int:
        """Updates done after the last batch."""
        if self.epochs > 1:
            return self.last_update
        return self.update - 1 + (self.in_update + self.batches) // self.accumulation_steps

    @property
    def lrs(self) -> tuple[float, ...]:
        """The lr of each update that the batches contribute to; one alone where all have that."""
        return _unpacked(self.lr) if isinstance(self.lr, bytes) else (self.lr,)

    @property
    def last_lr(self) -> float:
        """The lr of the last update."""
        return _unpacked(self.lr[-8:])[0] if isinstance(self.lr, bytes) else self.lr

    def by_epoch(self) -> "Iterator[Chunk]":
        """The chunk split into one chunk per epoch."""
        if self.epochs == 1:
            yield self
            return
        size, updates = 4 * self.epoch_batches, 8 * self.epoch_updates
        for k in range(self.epochs):
            yield msgspec.structs.replace(
                self,
                epoch=self.epoch + k,
                epochs=1,
                batch=self.batch + k * self.epoch_batches,
                update=self.update + k * self.epoch_updates,
                samples=self.samples + k * self.epoch_samples,
                seconds=self.seconds + k * self.duration / self.epochs,
                duration=self.duration / self.epochs,
                lr=packed(_unpacked(self.lr[k * updates : (k + 1) * updates]))
                if isinstance(self.lr, bytes)
                else self.lr,
                clipped=_part(self.clipped, k, self.epochs),
                skipped=_part(self.skipped, k, self.epochs),
                losses=self.losses[k * size : (k + 1) * size],
            )

    def goes_on_with(self, other: "Chunk") -> bool:
        """True if `other` holds the next epochs with the same layout; both must hold whole epochs.

        False if any batch is weightless, which chunks of several epochs cannot represent.
        """
        return (
            not (self.weightless or other.weightless)
            and self.generation == other.generation
            and (self.last_epoch + 1, self.last_update + 1) == (other.epoch, other.update)
            and self._shape == other._shape
        )

    @property
    def _shape(self) -> tuple[float, ...]:
        return (
            self.epoch_batches,
            self.batch_size,
            self.last_batch_size,
            self.accumulation_steps,
            self.behind,
            self.compiled,
            self.compiled_end,
        )


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """A single chunk of all these chunks, each of which `goes_on_with` the next one."""
    first, last = chunks[0], chunks[-1]
    return msgspec.structs.replace(
        first,
        epochs=last.last_epoch - first.epoch + 1,
        duration=last.seconds + last.duration - first.seconds,
        lr=_joined_lr(chunks),
        clipped=sum(chunk.clipped for chunk in chunks),
        skipped=sum(chunk.skipped for chunk in chunks),
        peak_memory=max(chunk.peak_memory for chunk in chunks),
        losses=b"".join(chunk.losses for chunk in chunks),
    )


def packed(lrs: Sequence[float]) -> float | bytes:
    """The lr of a chunk, of that of each of its updates: one number where all have the same."""
    if lrs.count(lrs[0]) == len(lrs):
        return lrs[0]
    return struct.pack(f"<{len(lrs)}d", *lrs)


def _unpacked(lr: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(lr) // 8}d", lr)


def _joined_lr(chunks: Sequence[Chunk]) -> float | bytes:
    """The lr of whole epochs that follow each other."""
    lr = chunks[0].lr
    if not isinstance(lr, bytes) and all(chunk.lr == lr for chunk in chunks):
        return lr
    return packed([lr for chunk in chunks for lr in _of_each_update(chunk)])


def _of_each_update(chunk: Chunk) -> tuple[float, ...]:
    return chunk.lrs if isinstance(chunk.lr, bytes) else chunk.lrs * chunk.epoch_updates


def _part(total: int, part: int, parts: int) -> int:
    """A share of a count: the parts are whole, about alike, and add up to it."""
    return total * (part + 1) // parts - total * part // parts
