"""The reason of a variant that is broken, and the file with everything that its worker printed."""

from pathlib import Path

from engine.log.records import State


def failure_reason(state: State, detail: str) -> str:
    """State and reason of a broken variant in one line, the same in every command; else empty."""
    return f"{state}: {' '.join(detail.split())}" if state.is_broken else ""


def has_printed(output: Path, traceback: str) -> bool:
    """True if the file holds more than the traceback of the worker's failure, which is logged."""
    try:
        return output.stat().st_size > len(traceback.encode())
    except OSError:
        return False
