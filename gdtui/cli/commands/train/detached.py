"""`gdtui train --detach`: starts the same command as a host without a terminal.

The host is a process that leads its own session. It reports its run once all variants train; until
then its errors go to the terminal, and its end is that of the command.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.streams import print_text

_MAIN: Final = """\
import sys
sys.path[:] = {path!r}
from gdtui.cli.commands.train import detached
sys.exit(detached.run({report}, sys.argv[1:]))"""

_report: int | None = None
"""The descriptor on which this process reports its run, if it is a detached host."""


def is_host() -> bool:
    """True in the process that was started to be the host."""
    return _report is not None


def start(arguments: Sequence[str]) -> int:
    """Start the host; print its run directory once it trains, and return the exit status."""
    reader, writer = os.pipe()
    command = [sys.executable, "-c", _MAIN.format(path=sys.path, report=writer), *arguments]
    host = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[writer],
    )
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as report:
            run = report.read()
        if run:
            print_text(os.fsdecode(run))
            return ExitCode.OK
        return host.wait()
    except KeyboardInterrupt:
        host.send_signal(signal.SIGTERM)
        host.wait()
        return ExitCode.INTERRUPTED


def run(report: int, arguments: list[str]) -> int:
    """Run the command in this process, which is the host."""
    global _report
    from gdtui.cli.main import main

    os.set_inheritable(report, False)
    _report = report
    return main(arguments)


def announce(run: Path) -> bool:
    """Report the run to the command that started this host; False if that has ended."""
    global _report
    if _report is None:
        return True
    report, _report = _report, None
    try:
        os.write(report, os.fsencode(run.absolute()))
    except OSError:
        return False
    finally:
        os.close(report)
    return True
