"""`python -m gdtui`: the console script by another name."""

import contextlib
import sys
from pathlib import Path


def _look_in_working_directory_last() -> None:
    """`-m` puts it first on sys.path: a user's own `engine` there would be taken for ours."""
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if sys.path[0] in ("", str(here)) and not here.samefile(Path(__file__).parents[1]):
            sys.path.append(sys.path.pop(0))


if __name__ == "__main__":
    _look_in_working_directory_last()

    from gdtui.cli.main import main

    sys.exit(main())
