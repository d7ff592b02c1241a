"""Notices that may be impossible to log in the run directory, for example that the disk is full."""

from enum import StrEnum

import msgspec

from engine.settings.text import clean


class NoticeKind(StrEnum):
    """The subject of a notice."""

    DIED = "died"
    SERVER_DIED = "server died"
    HOST_GONE = "host gone"
    """The process that trained the run has ended: no command has any effect."""
    NOT_STARTED = "not started"
    LOG_BLOCKED = "log blocked"
    LOG_GONE = "log gone"
    """A file of the run, or the whole run, is no longer at its path."""
    NO_CHECKPOINT = "no checkpoint"
    """A checkpoint could not be kept; training goes on."""
    LOG_UNBLOCKED = "log unblocked"
    REMARK = "remark"
    """How the output of a program is read; not a problem."""
    BEGUN_AGAIN = "begun again"
    """A variant that had ended trains again; not a problem."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice for the user, to be shown immediately."""

    kind: NoticeKind
    variant: str | None
    text: str

    def __post_init__(self) -> None:
        """Clean the text, which may quote paths and errors from the user's code."""
        msgspec.structs.force_setattr(self, "text", clean(self.text))
