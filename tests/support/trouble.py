"""Trouble made to the real program, a round at a time: what must be told, kept and restored.

Each scene starts the app in a terminal, makes its trouble at a random moment, and checks that it is
told, that no row that was logged is lost, and that the terminal is as it was.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from real_app import CONSOLE_SCRIPT, App
from terminal import PATIENCE, Terminal
from vanishing import remove_tree

from engine.log.directory import RunDirectory
from engine.log.file import LogReader
from engine.log.follow import Follower
from engine.log.records import Chunk, State
from gdtui.state.stored_runs import is_running

ROOT: Final = Path(__file__).resolve().parents[2]
MINI, SGD = "Mini-batch", "SGD"
OPTIONS: Final = ("--batch-sizes", "64,1", "--epochs", "100000", "--pace", "0.5")
STEPS: Final = (-3600.0, -5.0, 5.0, 3600.0)

STEPPED_CLOCK: Final = """
import os
import time

_real = time.time


def _stepped():
    try:
        with open(os.environ["STEPPED_CLOCK"]) as file:
            return _real() + float(file.read())
    except (OSError, ValueError):
        return _real()


time.time = _stepped
"""
"""A sitecustomize.py: every process of the program reads the step of its clock from a file."""


class Round:
    """One round of a scene: its own directory, its own chance."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.told: list[float] = []
        """Seconds from each trouble until it was told."""
        self._clock = folder / "step"
        (folder / "site").mkdir(parents=True)
        (folder / "site" / "sitecustomize.py").write_text(STEPPED_CLOCK)
        self.env = {
            **os.environ,
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}",
            "STEPPED_CLOCK": str(self._clock),
        }

    @contextmanager
    def app(self) -> Iterator[App]:
        """The app, once all variants train, at a random moment; ended with the block."""
        path = self.folder / "run"
        command = [*CONSOLE_SCRIPT, "--run-dir", str(path), *OPTIONS]
        with Terminal(command, env=self.env) as terminal:
            terminal.wait_for(lambda: (path / "run.json").exists())
            app = App(terminal, path)
            app.wait_for_losses()
            self.pause()
            yield app

    def pause(self, most: float = 0.5) -> None:
        """Let a random time go by: trouble comes at any moment."""
        time.sleep(self.chance.uniform(0, most))

    def step_clock(self, seconds: float) -> None:
        """Set the system's clock on or back, as far as the program can see."""
        draft = self._clock.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.rename(self._clock)

    def tell(self, app: App, wanted: str | Callable[[], object]) -> None:
        """Wait until it is told, and note how long that took."""
        began = time.monotonic()
        app.terminal.wait_for(wanted)
        self.told.append(time.monotonic() - began)


# --- What must hold -------------------------------------------------------------------------------


def rows(run: RunDirectory) -> dict[tuple[str, int], int]:
    """Batches in the logs by variant and generation; each follows the one before it."""
    counts: dict[tuple[str, int], int] = {}
    follower = Follower(run)
    while records := list(follower.read()):
        for name, record in records:
            if isinstance(record, Chunk):
                place = name, record.generation
                assert record.batch == counts.get(place, 0) + 1, "a batch is missing"
                counts[place] = record.batch - 1 + record.batches
    assert follower.damage == []
    return counts


def check_kept(before: dict[tuple[str, int], int], run: RunDirectory) -> None:
    """Every row is there that was logged before."""
    after = rows(run)
    lost = {place: count for place, count in before.items() if after.get(place, 0) < count}
    assert not lost, f"rows are lost: {lost}"


def check_closed(run: RunDirectory, *names: str) -> None:
    """The logs of these variants, and the session's, have an end."""
    for log in (run.session_log, *map(run.variant_log, names)):
        reader = LogReader(log)
        assert list(reader)
        assert reader.is_complete, f"{log.name} has no end"


def leave(app: App, *closed: str) -> None:
    """Quit; nothing is left, the terminal is as it was, and these variants' logs have an end."""
    run = app.run
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.wait_for_nobody()
    assert app.terminal.modes == app.terminal.modes_before, "the terminal was left raw"
    assert "Traceback" not in app.said
    check_closed(run, *closed)


# --- Scenes ---------------------------------------------------------------------------------------


def kill_worker(this: Round) -> None:
    """A worker is killed: told in its panel, the other goes on, `r` replaces it."""
    with this.app() as app:
        victim, other = this.chance.sample((MINI, SGD), 2)
        before = rows(app.run)
        os.kill(app.worker(victim), signal.SIGKILL)
        this.tell(app, "│ its worker was ended by SIGKILL")
        app.wait_for_progress(other)
        app.terminal.send({MINI: "1r", SGD: "2r"}[victim])
        app.terminal.wait_for(lambda: app.tallies()[victim].generation == 2)
        app.terminal.wait_for(lambda: "│ its worker was ended" not in app.terminal.text)
        app.wait_for_progress(victim, other)
        assert app.tallies()[other].generation == 1
        leave(app, MINI, SGD)
        check_kept(before, app.run)


def kill_server(this: Round) -> None:
    """The process that starts workers is killed: told, and training goes on."""
    with this.app() as app:
        before = rows(app.run)
        os.kill(app.server, signal.SIGKILL)
        this.tell(app, "the process that starts workers has died")
        app.wait_for_progress(MINI, SGD)
        leave(app, MINI, SGD)
        check_kept(before, app.run)


def kill_app(this: Round) -> None:
    """The app is killed, and its host later: training goes on, then no process is left."""
    with this.app() as app:
        run, before = app.run, rows(app.run)
        assert len(app.terminal.processes) >= 6, "app, host, fork server, tracker, two workers"
        os.kill(app.terminal.pid, signal.SIGKILL)
        app.terminal.wait_for(lambda: b"\x1b[?1049l" in app.terminal.raw)
        app.check_restored()
        app.wait_for_progress(MINI, SGD)
        os.kill(app.host, signal.SIGKILL)
        app.wait_for_nobody()
        assert not is_running(run)
        check_kept(before, run)
        for name in (MINI, SGD):
            reader = LogReader(run.variant_log(name))
            assert list(reader)
            assert reader.is_complete


def screens_of(app: App) -> int:
    """The number of times that the app took the terminal's other screen."""
    return app.terminal.raw.count(b"\x1b[?1049h")


def stop_and_continue(this: Round) -> None:
    """Processes are stopped and continued, in any way: keys are obeyed, all go on."""
    with this.app() as app:
        before = rows(app.run)
        for _ in range(3):
            how = this.chance.choice((signal.SIGSTOP, signal.SIGTSTP, signal.SIGCONT))
            victims = [app.terminal.pid, app.server, app.worker(MINI), app.worker(SGD)]
            pid = this.chance.choice(victims)
            if pid != app.terminal.pid and how is signal.SIGTSTP:
                how = signal.SIGSTOP
            shown = screens_of(app)
            os.kill(pid, how)
            app.terminal.send(this.chance.choice((".", ",", "]", "[", "m")) * 20)
            this.pause()
            os.kill(pid, signal.SIGCONT)
            if how is signal.SIGTSTP:  # keys that are typed until then are dropped
                app.terminal.wait_for(lambda seen=shown: screens_of(app) > seen)
            app.terminal.send("?")
            this.tell(app, "this help")
            app.terminal.send("\x1b")
            app.terminal.wait_for(lambda: "this help" not in app.terminal.text)
            app.wait_for_progress(MINI, SGD)
        leave(app, MINI, SGD)
        check_kept(before, app.run)


def clock_step(this: Round) -> None:
    """The clock is set while it trains: a death is told all the same, and so without a screen."""
    with this.app() as app:
        before = rows(app.run)
        this.step_clock(this.chance.choice(STEPS))
        app.wait_for_progress(MINI, SGD)
        os.kill(app.worker(SGD), signal.SIGKILL)
        this.tell(app, "│ its worker was ended by SIGKILL")
        app.terminal.wait_for(lambda: app.tallies()[SGD].state is State.DIED)
        app.terminal.send("2r")
        app.terminal.wait_for(lambda: app.tallies()[SGD].generation == 2)
        app.wait_for_progress(SGD)
        this.step_clock(this.chance.choice(STEPS))
        app.wait_for_progress(MINI, SGD)
        assert app.tallies()[SGD].state is State.RUNNING
        leave(app, MINI, SGD)
        check_kept(before, app.run)


def clock_step_headless(this: Round) -> None:
    """The same for `gdtui train`, which used to wait for the dead worker for ever."""
    with training(this) as (train, run):
        this.step_clock(this.chance.choice(STEPS))
        for name in (MINI, SGD):
            os.kill(holder_of(run.variant_log(name)), signal.SIGKILL)
        before = rows(run)
        began = time.monotonic()
        output, errors = train.communicate(timeout=PATIENCE)
        this.told.append(time.monotonic() - began)
    assert train.returncode == 1
    assert errors.count("its worker was ended by SIGKILL") == 1, errors
    assert {each["state"] for each in json.loads(output)["variants"]} == {"died"}
    check_kept(before, run)


def removed_directory(this: Round) -> None:
    """The run's directory, or a log, is moved away and back: told, paused, and nothing lost."""
    with this.app() as app:
        before, run = rows(app.run), app.run
        path = this.chance.choice((run.path, run.variant_log(SGD), run.session_log))
        away = path.with_name("away")
        path.rename(away)
        this.tell(app, "log gone")
        this.pause()
        away.rename(path)
        app.terminal.wait_for(lambda: "log gone" not in app.terminal.text)
        app.wait_for_progress(MINI, SGD)
        leave(app, MINI, SGD)
        check_kept(before, app.run)


def removed_for_good(this: Round) -> None:
    """The run's directory is removed: told on the screen, and once more at the end."""
    with this.app() as app:
        remove_tree(app.path)
        this.tell(app, "log gone")
        app.terminal.send(" ")
        app.terminal.wait_for(lambda: app.terminal.screen[0].rstrip().endswith("log gone"))
        app.terminal.send("q")
        assert app.terminal.wait() == 0
        app.wait_for_nobody()
        assert app.terminal.modes == app.terminal.modes_before
        assert "what was trained after that is not kept" in app.said
        assert not app.path.exists()


def removed_headless(this: Round) -> None:
    """`gdtui train` without a terminal ends with an error."""
    with training(this) as (train, run):
        remove_tree(run.path)
        began = time.monotonic()
        output, errors = train.communicate(timeout=PATIENCE)
        this.told.append(time.monotonic() - began)
    assert train.returncode == 1, errors
    assert "stopped: nothing more could be kept of this run" in errors
    assert {each["state"] for each in json.loads(output)["variants"]} == {"stopped"}
    # In the middle of the removal, the directory may still be there when a file in it is missed.
    assert "it was removed or moved" in errors or "its run.json is gone" in errors, errors
    assert "Traceback" not in errors, errors


@contextmanager
def training(this: Round) -> "Iterator[tuple[subprocess.Popen[str], RunDirectory]]":
    """`gdtui train --json` without a terminal, once all variants train."""
    path = this.folder / "run"
    train = subprocess.Popen(
        [*CONSOLE_SCRIPT, "train", "--json", "--run-dir", str(path), *OPTIONS],
        env=this.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while len(list(path.glob("[12]-*.gdlog"))) < 2 or len(rows(RunDirectory.open(path))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        this.pause()
        yield train, RunDirectory.open(path)
    finally:
        train.kill()
        train.wait()


def holder_of(log: Path) -> int:
    """The process that has the log open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(file.readlink() == log for file in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(f"nobody writes {log}")


Scene = Callable[[Round], None]

SCENES: Final[dict[str, tuple[Scene, ...]]] = {
    "kill": (kill_worker, kill_server, kill_app),
    "stop": (stop_and_continue,),
    "clock": (clock_step, clock_step_headless),
    "removed": (removed_directory, removed_for_good, removed_headless),
}
"""The scenes by the kind of trouble; rounds take them in turn."""
