"""The app on a run of its own: starts run, workers and screen in the order that paints first, and ends all.

However it ends (key, signal, error), the workers are stopped, the logs closed, the terminal restored.
"""

from pathlib import Path

from engine.launch import warm_up
from engine.rundir import RunDirectory
from engine.session import Session
from engine.settings import RunSettings
from gdtui.keyscript import Press


def run_live(
    settings: RunSettings, run_path: Path, *, theme: str, fps: float, keys: tuple[Press, ...]
) -> int:
    """Train and show until the user quits; returns the exit status."""
    from gdtui.cli import version

    run = RunDirectory.create(run_path, settings, version())
    # Its output goes to a file from now on, and torch is imported while the screen is being painted.
    warm_up(run.server_output)
    with Session(run) as session:
        session.start()
        from gdtui.app import GdtuiApp

        app = GdtuiApp(run, session, fps=fps, theme=theme, keys=keys)
        app.run()
        return app.return_code or 0
