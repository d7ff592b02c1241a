"""States of a variant's training."""

from enum import StrEnum


class State(StrEnum):
    """The state of a variant's training, and the groups of states on which decisions depend.

    STOPPED is an orderly end, on a command. It is therefore not a failure (exit status 0, no error
    reported), but the variant is cut short like a broken one and has no result.
    """

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    DIED = "died"
    STOPPED = "stopped"

    @property
    def is_active(self) -> bool:
        """True if it is training or about to train."""
        return self in (State.STARTING, State.RUNNING)

    @property
    def is_ended(self) -> bool:
        """True if training has ended, unless a command begins it again; false while paused."""
        return self not in (State.STARTING, State.RUNNING, State.PAUSED)

    @property
    def is_broken(self) -> bool:
        """True for a variant that failed, ran out of memory or died."""
        return self in (State.FAILED, State.OUT_OF_MEMORY, State.DIED)

    @property
    def is_cut_short(self) -> bool:
        """True if it neither finished nor diverged. Only a restart has any effect then."""
        return self.is_broken or self is State.STOPPED

    @property
    def has_sound_weights(self) -> bool:
        """True if there are weights and they are worth inspecting."""
        return self in (State.RUNNING, State.PAUSED, State.FINISHED)
