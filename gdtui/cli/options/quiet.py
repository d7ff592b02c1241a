"""The option of long commands to show no progress."""

from gdtui.cli.command import Flag


def quiet_flag() -> Flag:
    """`--quiet`"""
    return Flag("--quiet", "no progress on stderr")
