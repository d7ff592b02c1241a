"""The options of long commands: without progress, without a terminal."""

from gdtui.cli.command import Flag


def quiet_flag() -> Flag:
    """`--quiet`"""
    return Flag("--quiet", "no progress on stderr")


def detach_flag(subject: str) -> Flag:
    """`--detach`; `subject` names what goes on without a terminal, such as "sweep"."""
    text = f"print the {subject}'s directory, and return; output goes to host.out there"
    return Flag("--detach", text, is_typed=True)
