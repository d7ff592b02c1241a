"""The command line's entry: dispatches to a subcommand and returns its exit status.

Imported again in every worker, as the main module of the console script: nothing heavy at the top.
"""

import errno
import os
import sys
from importlib import import_module
from io import TextIOWrapper

from gdtui.cli.command_table import APP, COMMANDS
from gdtui.cli.exit_codes import ExitCode


def main(argv: list[str] | None = None) -> int:
    """Run gdtui with these arguments; returns the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if isinstance(sys.stdout, TextIOWrapper):  # a Latin-1 or ASCII terminal shows ? for what it lacks
        sys.stdout.reconfigure(errors="replace")
    try:
        status = _dispatch(arguments)
        if sys.stdout is not None:  # `>&-`
            sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        return _give_up_stdout(error)
    return status


def _dispatch(arguments: list[str]) -> int:
    """Run the subcommand that is named first; the app where none is."""
    named = arguments[0] if arguments else ""
    module = import_module(COMMANDS.get(named, APP))
    status: int = module.run(arguments[1:] if named in COMMANDS else arguments)
    return status


def _give_up_stdout(error: OSError) -> int:
    """Nobody reads on, or nothing more fits."""
    # The interpreter flushes stdout once more as it ends: let that succeed.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if error.errno == errno.EPIPE:
        return ExitCode.PIPE_CLOSED
    print(f"gdtui: the output is not complete: {error.strerror}", file=sys.stderr)
    return ExitCode.FAILED
