"""Work on a thread of this process: what it tells, how it ends, and whom its processes are forked from."""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sessions import PATIENCE

from engine.jobs.process_job import Done, Failed, Found, Part, Running, Tell
from engine.jobs.thread_job import Beside
from engine.settings import SettingsError

Show = Callable[[Any], None]


def everything(running: Beside[Any]) -> list[Any]:
    """All that it tells, to its end."""
    messages: list[Any] = []
    deadline = time.monotonic() + PATIENCE
    while not any(isinstance(each, Found | Failed) for each in messages):
        assert time.monotonic() < deadline
        messages += running.poll()
        time.sleep(0.005)
    return messages


def test_what_it_tells_and_finds_comes_in_order() -> None:
    def work(tell: Tell, show: Show) -> str:
        tell(0.5, "half")
        show("so far")
        return "all"

    assert everything(Beside(work, "work")) == [Done(0.5, "half"), Part("so far"), Found("all")]


def test_what_went_wrong_is_told() -> None:
    def broken(tell: Tell, show: Show) -> None:
        raise OSError("no room")

    def refused(tell: Tell, show: Show) -> None:
        raise SettingsError("no such device")

    (failed,) = everything(Beside(broken, "work"))
    assert failed.detail == "OSError: no room"
    assert "in broken" in failed.traceback
    assert everything(Beside(refused, "work")) == [Failed(detail="no such device", is_wrong_call=True)]


def test_closed_it_cleans_up_and_tells_no_end() -> None:
    said: list[str] = []
    began = threading.Event()

    def endless(tell: Tell, show: Show) -> None:
        try:
            while True:
                began.set()
                tell(0.1, "on its way")
                time.sleep(0.001)
        except Exception:
            said.append("took it for a failure")
        finally:
            said.append("cleaned up")

    running = Beside(endless, "work")
    assert began.wait(PATIENCE)
    running.close()
    running.close()
    assert said == ["cleaned up"]
    assert not [each for each in running.poll() if isinstance(each, Found | Failed)]


def parent(tell: Tell) -> int:
    """The process that this one was forked from."""
    return os.getppid()


def forked(tell: Tell, show: Show) -> int:
    with Running(parent, "parent") as running:
        end = running.wait(lambda done: tell(done.share, done.what))
    assert isinstance(end, Found)
    return end.result


def test_what_it_starts_is_forked_from_the_server_that_runs_already() -> None:
    here = forked(lambda share, what: None, lambda found: None)
    (found,) = [each for each in everything(Beside(forked, "work")) if isinstance(each, Found)]
    assert found.result == here != os.getpid()


def test_who_waits_for_a_process_hears_from_it_also_while_it_has_nothing_to_tell() -> None:
    heard: list[Done] = []
    with Running(partial(silent, 0.7), "silent") as running:
        assert running.wait(heard.append) == Found("done")
    assert Done(0.0, "starting") in heard


def silent(seconds: float, tell: Tell) -> str:
    time.sleep(seconds)
    return "done"
