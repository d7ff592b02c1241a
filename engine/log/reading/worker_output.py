"""The file with everything that a variant's worker has printed."""

from pathlib import Path


def has_printed(output: Path, traceback: str) -> bool:
    """True if the file holds more than the traceback of the worker's failure, which is logged."""
    try:
        return output.stat().st_size > len(traceback.encode())
    except OSError:
        return False
