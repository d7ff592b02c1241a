"""Detects a module next to a problem's file that has the same name as another module."""

import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

_OURS: Final = ("engine", "gdtui")


def explain_shadowing(error: BaseException, folder: Path) -> str | None:
    """A sentence about the module in `folder` that hides the error's module, or is hidden by it.

    None if the error has another cause.
    """
    name = _module_of(error).partition(".")[0]
    beside = _beside(folder, name) if name else None
    if beside is None:
        return None
    shown, owner = f"{beside.name}/" if beside.is_dir() else beside.name, _owner(name)
    module = sys.modules.get(name)  # None if its import failed halfway, as ours cannot
    if module is not None and not _is_loaded_from(module, beside):
        return (
            f"{shown} next to it has the name of {owner}, which Python imports instead: "
            f"rename {shown}"
        )
    is_hiding = _is_elsewhere(name, folder)
    return f"{shown} next to it hides {owner}: rename {shown}" if is_hiding else None


def _module_of(error: BaseException) -> str:
    """The module that is missing, or lacks the attribute; "" for other errors."""
    if isinstance(error, ImportError):
        return error.name or ""
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.obj.__name__
    return ""


def _beside(folder: Path, name: str) -> Path | None:
    """The module of this name in the folder."""
    found = (path for path in (folder / name, folder / f"{name}.py") if path.exists())
    return next(found, None)


def _is_loaded_from(module: ModuleType, beside: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(place is not None and Path(place) == beside for place in places)


def _is_elsewhere(name: str, folder: Path) -> bool:
    """True if the module is found without the folder: in Python itself, or an installed one."""
    if name in sys.stdlib_module_names:
        return True
    return (
        PathFinder.find_spec(name, [path for path in sys.path if path != str(folder)]) is not None
    )


def _owner(name: str) -> str:
    if name in _OURS:
        return "a package of gdtui"
    return "a module of Python" if name in sys.stdlib_module_names else "an installed package"
