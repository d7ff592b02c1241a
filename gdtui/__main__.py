"""`python -m gdtui`, the same as the console script."""

import contextlib
import sys
from pathlib import Path


def _leave_out_working_directory() -> None:
    """`-m` puts it first on sys.path, and it may be a foreign run with modules in it."""
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if sys.path[0] in ("", str(here)) and not here.samefile(Path(__file__).parents[1]):
            del sys.path[0]


if __name__ == "__main__":
    _leave_out_working_directory()

    from gdtui.cli.main import main

    sys.exit(main())
