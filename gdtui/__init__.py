"""Shows runs and sends commands to them; imports no torch.

`from gdtui import Problem` is for the files that users write, `gdtui.open_run` for notebooks, and
`gdtui.track` for training scripts. They are imported on first use, so the command line starts
without them.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.audit.loop import audit
    from engine.log.directory import RunDirectoryError
    from engine.problem import Problem
    from engine.tracking.api import track
    from gdtui.api.run import Run, open_run

__all__ = ["Problem", "Run", "RunDirectoryError", "__version__", "audit", "open_run", "track"]

__version__: Final = "0.1.0"
"""Set here and read by the build; querying the installed package takes 13 ms at the start."""

_MODULES: Final = {
    "Problem": "engine.problem",
    "Run": "gdtui.api.run",
    "RunDirectoryError": "engine.log.directory",
    "audit": "engine.audit.loop",
    "open_run": "gdtui.api.run",
    "track": "engine.tracking.api",
}
"""The modules of the names that are imported on first use (PEP 562)."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return globals().setdefault(name, getattr(import_module(_MODULES[name]), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
