"""A process that hosts a run apart from the app, as the app sees it.

It leads its own session, so that no lost terminal reaches it. Importing this takes little time,
since the process is started before the first frame.
"""

import atexit
import contextlib
import gc
import os
import socket
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Final

from engine.log.directory import RunDirectory
from gdtui.cli.commands.train.host.messages import Begin, HostTask, Load, receive, send
from gdtui.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from engine.problems.loader import Loaded, LoadTask
    from gdtui.cli.problem_loading import LoadProblem

_SPAWNED: Final = """\
import sys
sys.path[:] = {path!r}
from gdtui.cli.commands.train.host.process import run_spawned
sys.exit(run_spawned({link}))"""


class HostProcess:
    """A process that is to be the host of a run, and the app's connection to it.

    Until it is given a run, it can load the run's problem, so that torch is imported only once.
    """

    def __init__(self) -> None:
        """Start the process; takes less than a millisecond, unless it cannot be a fork."""
        self.link, theirs = socket.socketpair()
        if threading.active_count() == 1 and not _has_fork_server():
            self.pid = _fork(self.link, theirs)
        else:  # the locks of other threads, and a fork server, are useless in a fork
            self.pid = _spawn(theirs)
        theirs.close()

    def load(self, task: "LoadTask", *, with_compiler: bool) -> "Loaded":
        """Load a problem in the process, as engine.problems.loading.load does.

        If that raises, the process ends.
        """
        try:
            send(self.link, Load(task, with_compiler))
            answer, _ = receive(self.link)
        except (EOFError, OSError):
            from engine.problems.loading import LoadingError

            text = f"the process that loads problems ({self.pid}) has ended; try again"
            raise LoadingError(text) from None
        if isinstance(answer, Exception):
            self.close()
            raise answer
        loaded: Loaded = answer
        return loaded

    def begin(self, run: RunDirectory, task: HostTask) -> None:
        """Hand the run on to the process, which trains once it is greeted."""
        custody = run.custody
        files = [lock for lock in custody.locks if lock is not None]
        send(self.link, Begin(run.path.absolute(), custody.stored, task), files)
        custody.hand_on()

    def close(self) -> None:
        """Disconnect; a process that has not been greeted ends."""
        self.link.close()


class LoadingHost:
    """The host that is started before the options are read, if their problem must be loaded."""

    host: HostProcess | None = None

    def start(self) -> "LoadProblem":
        """Start it; returns its way to load a problem."""
        self.host = HostProcess()
        return self.host.load


def _has_fork_server() -> bool:
    module = sys.modules.get("engine.jobs.fork_server")
    return module is not None and module.is_started()


def _fork(ours: socket.socket, theirs: socket.socket) -> int:
    _flush()
    pid = os.fork()
    if pid:
        return pid
    status: int = ExitCode.FAILED
    try:
        atexit._clear()  # what is to be cleaned up so far is the parent's
        gc.freeze()  # leaves the pages of the parent's objects shared
        ours.close()
        os.setsid()
        from gdtui.cli.commands.train.host.main import main

        status = main(theirs)
    except BaseException:  # it must not reach the parent's code
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            _clean_up()
        _flush()
        os._exit(status)


def _clean_up() -> None:
    """Do what multiprocessing does at exit, such as removing the fork server's directory."""
    if (module := sys.modules.get("multiprocessing.util")) is not None:
        module._exit_function()


def _spawn(theirs: socket.socket) -> int:
    import subprocess  # takes a hundredth of the first frame

    link = theirs.fileno()
    process = subprocess.Popen(
        [sys.executable, "-c", _SPAWNED.format(path=sys.path, link=link)],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[link],
    )
    process.returncode = 0  # it may outlive this process, which therefore never waits for it
    return process.pid


def run_spawned(link: int) -> int:
    """Be the process that another one has spawned; returns the exit status."""
    from gdtui.cli.commands.train.host.main import main

    os.set_inheritable(link, False)
    return main(socket.socket(fileno=link))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError, ValueError):
            stream.flush()
