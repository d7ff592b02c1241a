"""A problem in a user's file, `path/to/file.py[:name]`.

Runs the file, so it is for the loader and workers only.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from engine.problem import Problem, ProblemError

_FUNCTION: Final = "problem"
_MODULE: Final = "gdtui_problem"


def is_file(problem: str) -> bool:
    """True if the problem is in a user's file, not one of gdtui's own."""
    return split(problem)[0].suffix == ".py"


def split(problem: str) -> tuple[Path, str]:
    """File and function of "path/to/file.py[:name]"."""
    path, colon, name = problem.rpartition(":")
    if colon and path.endswith(".py"):
        return Path(path), name or _FUNCTION
    return Path(problem), _FUNCTION


def file_of(problem: str) -> Path | None:
    """The absolute path of the problem's file; None for one of gdtui's own problems."""
    return split(problem)[0].absolute() if is_file(problem) else None


def absolute(problem: str) -> str:
    """The problem's name with an absolute path, which holds in any directory."""
    path, name = split(problem)
    return f"{path.absolute()}:{name}" if is_file(problem) else problem


def run_file(problem: str) -> Callable[[], Any]:
    """Run the file, and return its function. Raises whatever the file raises, and ProblemError."""
    path, name = split(problem)
    return _function(_module(path.absolute()), name)


def call(function: Callable[[], Any], problem: str) -> Problem:
    """Call the function of a problem's file.

    Raises whatever it raises, and ProblemError if it does not return a Problem.
    """
    made, (_, name) = function(), split(problem)
    if not isinstance(made, Problem):
        raise ProblemError(f"{name}() returns a {type(made).__name__}, not a gdtui.Problem")
    return made


def _module(path: Path) -> Any:
    import importlib.util  # not when the program starts, as it only needs `is_file`

    if not path.is_file():
        raise ProblemError("there is no such file")
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    sys.path.insert(
        0, str(path.parent)
    )  # as when Python runs the file: it may import modules next to it
    spec.loader.exec_module(module)
    return module


def _function(module: Any, name: str) -> Callable[[], Any]:
    function = getattr(module, name, None)
    if callable(function):
        return function  # type: ignore[no-any-return]
    local = [
        each
        for each, value in vars(module).items()
        if getattr(value, "__module__", "") == _MODULE and callable(value)
    ]
    there = f"; it has {', '.join(local)}" if local else ""
    raise ProblemError(f"there is no function {name}(){there}")
