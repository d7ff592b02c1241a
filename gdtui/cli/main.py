"""The entry point of the command line: dispatches to a subcommand, returns its exit status.

Every worker imports it again, as the main module of the console script, so nothing heavy is
imported at the top.
"""

import errno
import os
import sys
from importlib.machinery import PathFinder
from io import TextIOWrapper
from pathlib import Path

from gdtui.cli.exit_codes import ExitCode

_COMPLETE = "_GDTUI_COMPLETE"
"""Set by the shell when its completion asks for words."""


def main(argv: list[str] | None = None) -> int:
    """Run gdtui with these arguments; returns the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if sys.platform == "win32":
        return _refuse("needs Linux or macOS; on Windows, install and start it inside WSL2")
    if isinstance(
        sys.stdout, TextIOWrapper
    ):  # a Latin-1 or ASCII terminal shows ? for what it lacks
        sys.stdout.reconfigure(errors="replace")
    try:
        status = _dispatch(arguments)
        if sys.stdout is not None:  # `>&-`
            sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except ImportError:
        if (foreign := _foreign_engine()) is None:
            raise
        return _refuse(
            f"{foreign} hides a package of gdtui's own: rename it, or take it off PYTHONPATH"
        )
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        return _give_up_stdout(error)
    return status


def _dispatch(arguments: list[str]) -> int:
    """Run the command that is named first; the app if none is."""
    from click import UsageError
    from click.exceptions import Exit

    from gdtui.cli.command import explain
    from gdtui.cli.program import program
    from gdtui.cli.streams import print_error

    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(program, {}, "gdtui", _COMPLETE, instruction)
    try:
        with program.make_context("gdtui", arguments) as ctx:
            status: int = program.invoke(ctx)
            return status
    except Exit as stop:
        return stop.exit_code
    except UsageError as error:
        print_error(explain(error))
        return ExitCode.USAGE_ERROR
    except RuntimeError as error:
        from engine.log.filesystem.places import NoHomeError  # imports much, so only now

        if not isinstance(error, NoHomeError):
            raise
        print_error(f"gdtui: {error}")
        return ExitCode.USAGE_ERROR


def _foreign_engine() -> str | None:
    """Path of a foreign module `engine` that Python would find before ours, if there is one."""
    spec = PathFinder.find_spec("engine")
    if spec is None or spec.origin is None:
        return None
    origin, ours = Path(spec.origin), Path(__file__).resolve().parents[2] / "engine"
    found = origin.parent if origin.name == "__init__.py" else origin
    return None if found.resolve() == ours else str(found)


def _refuse(reason: str) -> int:
    print(f"gdtui: {reason}", file=sys.stderr)
    return ExitCode.USAGE_ERROR


def _give_up_stdout(error: OSError) -> int:
    """Give up: the reader has gone, or the disk is full."""
    # The interpreter flushes stdout once more at exit; let that succeed.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if error.errno == errno.EPIPE:
        return ExitCode.PIPE_CLOSED
    print(f"gdtui: the output is not complete: {error.strerror}", file=sys.stderr)
    return ExitCode.FAILED
