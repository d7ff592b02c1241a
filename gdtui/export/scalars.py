"""The numbers that a loop in a script logged by name, as columns beside its batches."""

import contextlib
import struct
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from engine.log.directory import RunDirectory
from engine.log.file import LogDamagedError, LogReader
from engine.log.records import AnyRecord, Scalars

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TAKEN: Final = frozenset(
    ("variant", "generation", "batch", "update", "epoch", "samples", "seconds", "batch_size",
     "accumulation_steps", "lr", "loss")
)  # fmt: skip


def column_of(name: str) -> str:
    """The column of a number, whose name may be that of a column of its own."""
    return f"logged_{name}" if name in _TAKEN else name


def scalar_names(run: RunDirectory) -> list[str]:
    """The names of all numbers in a run's logs; only a script's loop logs any.

    Damage is reported later, when the rows are written.
    """
    names: dict[str, None] = {}
    for variant in run.info.settings.variants if run.info.settings.is_script else ():
        with contextlib.suppress(LogDamagedError):
            for record in LogReader(run.variant_log(variant.name)):
                if isinstance(record, Scalars):
                    names.update(dict.fromkeys(record.values))
    return list(names)


def scalars_by_batch(records: Iterable[AnyRecord]) -> dict[tuple[int, int, str], float]:
    """The numbers by generation, batch and name; the last one if a batch has several."""
    found: dict[tuple[int, int, str], float] = {}
    for record in records:
        if isinstance(record, Scalars):
            batches = _unpacked("Q", record.batches)
            for name, data in record.values.items():
                for batch, value in zip(batches, _unpacked("d", data), strict=True):
                    found[record.generation, int(batch), name] = value
    return found


def scalar_columns(
    records: Sequence[AnyRecord], batches: "NDArray[np.int64]"
) -> "dict[str, NDArray[np.float64]]":
    """The numbers of these batches by name; NaN where a batch has none."""
    import numpy as np

    columns: dict[str, NDArray[np.float64]] = {}
    for record in records:
        if isinstance(record, Scalars):
            places = np.searchsorted(batches, np.frombuffer(record.batches, "<u8").astype(np.int64))
            for name, data in record.values.items():
                column = columns.setdefault(name, np.full(len(batches), np.nan))
                column[places] = np.frombuffer(data, "<f8")
    return columns


def _unpacked(kind: str, data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 8}{kind}", data)
