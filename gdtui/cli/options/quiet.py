"""The option of long commands that turns off their progress."""

from gdtui.cli.command import Flag


def quiet_flag() -> Flag:
    """`--quiet`"""
    return Flag("--quiet", "no progress on stderr")
