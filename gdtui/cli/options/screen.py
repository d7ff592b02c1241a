"""The options of the app's screen."""

from gdtui.cli.command import FILE, AnyParameter, Option, in_group
from gdtui.cli.options.theme import theme_option
from gdtui.cli.value_types import duration, fps, keys


def screen_options(*, hidden: bool = False, records: bool = True) -> tuple[AnyParameter, ...]:
    """Options that only the app uses; `train` accepts them so that one line works for both.

    `records`: the screen can be recorded while the app is used.
    """
    text = "keys to press automatically, after the first losses: '8s S 20s ? 3s q'"
    return in_group(
        "screen",
        theme_option(hidden=hidden),
        Option("--fps", "N", "maximum frames per second", type=fps, default="10", hidden=hidden),
        Option("--keys", "SCRIPT", text, type=keys, hidden=hidden),
        *([_record_option(hidden=hidden)] if records else []),
    )


def linger_option(*, hidden: bool = False) -> Option:
    """`--linger`, for commands whose run may be left to a host."""
    text = "how long a run that was left alone waits for commands after its end: 600, 10m or 1h30m"
    return Option("--linger", "TIME", text, type=duration, default="10m", hidden=hidden)


def _record_option(*, hidden: bool) -> Option:
    text = "record the screen into a .cast, .gif, .html, .png or .txt, to show to others"
    return Option("--record", "FILE", text, type=FILE, hidden=hidden)
