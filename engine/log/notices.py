"""What a user must be told at once, and the run directory may be unable to hold: that the disk is full."""

from enum import StrEnum

import msgspec


class NoticeKind(StrEnum):
    """What a notice is about."""

    DIED = "died"
    SERVER_DIED = "server died"
    NOT_STARTED = "not started"
    LOG_BLOCKED = "log blocked"
    LOG_UNBLOCKED = "log unblocked"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell the user at once."""

    kind: NoticeKind
    variant: str | None
    text: str
