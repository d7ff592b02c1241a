"""The process of one visit: the app on stored or live runs, for a browser.

Started by gdtui/serve/server.py: `python -m gdtui.serve.visit THEME FPS SPEED|- RUN …`. It trains
nothing, starts no process and writes no file.
"""

import sys
from pathlib import Path
from typing import Any, Final

from gdtui.app import GdtuiApp
from gdtui.state.overlay.opening import open_runs
from gdtui.state.replay import Replay

_REFUSED: Final = frozenset(
    {"stills", "landscape", "experiments", "sweep", "code", "guide", "edit", "suspend_process"}
)
"""Actions that write files, start processes or leave the screen of the run."""
REFUSAL: Final = "in a browser the run is only watched: use gdtui watch in a terminal for this key"


class VisitApp(GdtuiApp):
    """The app as a visitor sees it: without the keys that have an effect outside its screen."""

    async def run_action(self, action: Any, *arguments: Any, **options: Any) -> bool:
        """Run an action, or say why it is not available."""
        if _name(action) in _REFUSED:
            self.show_notes([REFUSAL])
            return True
        return await super().run_action(action, *arguments, **options)


def _name(action: Any) -> str:
    """The name of an action, without the node that it is for and its parameters."""
    if isinstance(action, tuple):
        return str(action[1])
    return str(action).partition("(")[0].rpartition(".")[2]


def main() -> int:
    """Show the runs until the page is closed."""
    theme, fps, speed, *runs = sys.argv[1:]
    opened = open_runs([Path(run) for run in runs], ())
    source = opened.source
    if speed != "-":
        source = Replay(opened.shown.runs[0], float(speed))
    app = VisitApp(opened.shown, None, fps=float(fps), theme=theme, source=source)
    try:
        app.run()
    finally:
        app.close_lab()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
