"""The app on a run of its own: torch is imported beside the first frame; ends all, however it ends.

Between the first frame and the end the workers are stopped, the logs closed and the terminal restored
on a key, a signal and an error alike.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.launch import warm_up
from engine.rundir import RunDirectory
from engine.settings import RunSettings
from gdtui import __version__
from gdtui.keyscript import Press

if TYPE_CHECKING:
    from gdtui.commander import Controls


def run_live(
    settings: RunSettings, run_path: Path, *, theme: str, fps: float, keys: tuple[Press, ...]
) -> int:
    """Train and show until the user quits; returns the exit status."""
    run = RunDirectory.create(run_path, settings, __version__)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_screen_of_its_own(run.server_output))
        warm_up(run.server_output)  # first of all: torch's import takes longest

        gc.disable()  # what the imports make is no garbage; looking for some costs a tenth of the first frame

        def start() -> "Controls":
            """Called after the first frame."""
            gc.freeze()
            gc.enable()
            from engine.session import Session

            session = stack.enter_context(Session(run))
            session.start()
            return session

        from gdtui.app import GdtuiApp

        app = GdtuiApp(run, None, start=start, fps=fps, theme=theme, keys=keys)
        app.run()
    if app.return_code == 1:
        print(app.crash or f"gdtui stopped on an error of its own: {run.server_output}", file=sys.stderr)
    return app.return_code or 0


@contextlib.contextmanager
def _screen_of_its_own(output: Path) -> Iterator[None]:
    """Textual writes to a duplicate of the terminal; everything else that is printed goes to a file.

    So no warning paints over the screen, neither from here nor from the server that workers are forked
    from: it inherits stdout and stderr. Textual's driver writes to `sys.__stderr__`, and asks
    `sys.__stdout__` for the size.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved, originals = [os.dup(1), os.dup(2)], (sys.__stdout__, sys.__stderr__)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    screen = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.__stdout__, sys.__stderr__ = originals  # type: ignore[misc]
        for stream, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(file)
        with contextlib.suppress(OSError):  # a terminal that is gone takes nothing more
            screen.close()
