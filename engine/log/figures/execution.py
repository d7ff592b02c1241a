"""The step that computes updates, compiled or eager, and its speed: in a number and in words."""

import math

from engine.log.records import Execution


def speed_up(record: Execution | None, updates: int, seconds: float) -> float:
    """Updates per second since a compiled step came in ÷ those before; NaN if unknown.

    `updates` and `seconds`: done by now in the generation.
    """
    if record is None or not (record.compiled and record.eager_speed):
        return math.nan
    done, took = updates - record.update + 1, seconds - record.seconds
    return done / took / record.eager_speed if done > 0 and took > 0 else math.nan


def execution_text(record: Execution | None, updates: int, seconds: float) -> str:
    """The step in one line, as "compiled from update 1,204: 11 ×"; "" if nothing was recorded."""
    if record is None or not (record.compiled or record.reason):
        return ""
    if not record.compiled:
        return f"not compiled: {record.reason}"
    begin = f"compiled from update {record.update:,}"
    ratio = speed_up(record, updates, seconds)
    return begin if math.isnan(ratio) else f"{begin}: {times(ratio)}"


def times(ratio: float) -> str:
    """A ratio of speeds with two digits, such as "1.1 ×" or "11 ×"."""
    return f"{ratio:.1f} ×" if ratio < 9.95 else f"{ratio:,.0f} ×"
