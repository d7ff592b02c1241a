"""Stands for the thread that writes the log on ranks that write none."""

from engine.tracking.record.background import Work


class SilentBackground:
    """Takes everything and writes nothing."""

    is_broken = is_end_asked = is_waiting = False

    def put(self, work: Work) -> None:
        """Forget it."""

    def close(self) -> None:
        """Do nothing."""

    def abandon(self) -> None:
        """Do nothing."""
