"""Optional packages; reports a missing one in a sentence with the pip command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from engine.settings import SettingsError

_PACKAGES: Final = {
    "sklearn": "scikit-learn",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
}

_INSTALLED: Final = ("scikit-learn", "pandas", "pyarrow")
"""The packages of the extra: by their names, they are found wherever gdtui came from."""


@contextmanager
def needs_extra(purpose: str) -> Iterator[None]:
    """A context for imports from the extra `data`; SettingsError if a package is missing.

    `purpose` begins the message, e.g. "problem digits".
    """
    try:
        yield
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _PACKAGES:
            raise
        raise SettingsError(
            f"{purpose} needs {_PACKAGES[missing]}: python -m pip install {' '.join(_INSTALLED)}"
        ) from None
