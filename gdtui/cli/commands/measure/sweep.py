"""`gdtui sweep`: measures the trade-off table, shows how far it is, prints it in the form asked for."""

import os
import re
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from engine.sweep.run import Plan, SweepError, sweep
from engine.sweep.table import Sweep
from gdtui.cli.progress_bar import bar
from gdtui.view.text import sweep_table

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")

OK: Final = 0
FAILED: Final = 1
WRONG_CALL: Final = 2

FORMS: Final[dict[str, Callable[[Sweep], str]]] = {
    "text": sweep_table.text,
    "markdown": sweep_table.markdown,
    "csv": sweep_table.as_csv,
    "json": lambda found: msgspec.json.encode(found).decode(),
}


def run_sweep(plan: Plan, form: str) -> int:
    """Measure and print; returns the exit status."""
    try:
        with bar("sweep") as show:
            found = sweep(plan, show, lambda table: None)
    except SweepError as error:
        if error.traceback:
            print(error.traceback.rstrip(), file=sys.stderr)
        print(f"gdtui sweep: {' '.join(str(error).split())}", file=sys.stderr)
        return WRONG_CALL if error.is_usage_error else FAILED
    said = FORMS[form](found)
    print(said if sys.stdout.isatty() and "NO_COLOR" not in os.environ else COLOUR.sub("", said))
    return OK
