"""Experiments and the sweep in the app: what their screens show and tell, on made-up processes."""

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from app_bench import Bench, N, state
from made_up import SWEEP
from shown import text_of
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from engine.experiments.report import Arm, Report, Verdict
from engine.jobs.messages import Failure, PartialResult, Progress, Result
from engine.log.commands import Change, Pause, Resume
from engine.log.records import State
from engine.settings import FULL, LrScaling, VariantSettings
from engine.sweep.run import sweep
from engine.sweep.table import FailedArm, Recommendation
from gdtui.control.lab import Holder, Lab
from gdtui.screens.lab.sweep import recommended

REPORT = Report(
    experiment="saddle",
    claim="Noise leaves a saddle.",
    verdict=Verdict.NOT_SUPPORTED,
    rule="If the intervals lie apart.",
    meaning="Nobody left.",
    measured="seeds that escaped",
    seeds=20,
    varied="the batch size",
    held=("all else",),
    arms=(
        Arm(name="full", batch_size=FULL, escaped=0, interval=(0.0, 0.16), per_seed=(0.0,) * 20),
        Arm(name="1", batch_size=1, escaped=10, interval=(0.3, 0.7), per_seed=(1.0, 0.0) * 10),
    ),
    source="nowhere",
    device="cpu",
    seconds=1.5,
)


class FakeJob:
    """Tells what a test lets it tell."""

    def __init__(self, work: Any, name: str) -> None:
        self.work, self.name = work, name
        self.messages: list[Any] = []
        self.is_closed = False

    def poll(self) -> list[Any]:
        messages, self.messages = self.messages, []
        return messages

    def close(self) -> None:
        self.is_closed = True


class Stage:
    """An app on a run that trains, and the processes that its lab was asked for."""

    def __init__(self, path: Path, *, watching: bool = False) -> None:
        self.bench = Bench(path / "run")
        self.bench.begin()
        self.app = self.bench.app(watching=watching, make_lab=self.lab)
        self.processes: list[FakeJob] = []
        self.begun_in: list[tuple[str, str]] = []
        """The place and the name of each piece of work."""

    def lab(self, holder: Holder) -> Lab:
        start = partial(self.begin_in, "process"), partial(self.begin_in, "thread")
        return Lab(holder, *start, clock=lambda: 0.0)

    def begin_in(self, place: str, work: Any, name: str) -> FakeJob:
        self.begun_in.append((place, name))
        return self.begin(work, name)

    def begin(self, work: Any, name: str) -> FakeJob:
        self.processes.append(FakeJob(work, name))
        return self.processes[-1]

    @property
    def notes(self) -> list[str]:
        """The notes in the corner."""
        return [note.message for note in self.app.notes]

    async def open(self, pilot: "Pilot[None]", *keys: str) -> None:
        self.app.main.tick()
        await self.press(pilot, *keys)

    async def press(self, pilot: "Pilot[None]", *keys: str) -> None:
        await pilot.press(*keys)
        await pilot.pause()

    async def told(self, pilot: "Pilot[None]", *messages: Any) -> None:
        await until(lambda: bool(self.processes))
        self.processes[-1].messages += messages
        self.app.main.poll_lab()
        await pilot.pause()

    def commands(self, kind: type) -> int:
        return sum(isinstance(command, kind) for _, command in self.bench.controls.told)


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_an_experiment_runs_while_training_waits_and_its_report_is_shown(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(160, 60)) as pilot:
        await stage.open(pilot, "X")
        said = text_of(stage.app)
        assert "▸ saddle" in said
        assert said.count("not run yet") == 6
        assert "enter runs" in said
        assert "Training is paused" in " ".join(said.split())
        await stage.press(pilot, "enter")
        assert stage.commands(Pause) == 3
        for name in stage.bench.names:
            stage.bench.write(name, state(State.PAUSED, 11.0, command=3))
        stage.app.main.tick()
        await stage.told(pilot, Progress(0.43, "SGD, seed 7"))
        said = text_of(stage.app)
        assert re.search(r"saddle  ━+ +43%   0 s   SGD, seed 7", said)
        assert "training is paused meanwhile" in said
        assert stage.commands(Resume) == 0
        await stage.told(pilot, Result(REPORT))
        said = text_of(stage.app)
        assert "saddle: NOT SUPPORTED" in said
        assert re.search(r"full batch +0 of 20 +0 … 0.160 +[●├]─+┤", said)
        assert "20 seeds · cpu · 1.5 s" in said
        assert stage.commands(Resume) == 3
        assert stage.processes[0].is_closed


async def test_it_goes_on_when_the_screen_is_closed_and_is_there_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X", "down", "enter", "escape")
        assert "experiments" not in text_of(stage.app).splitlines()[1]
        await stage.told(pilot, Progress(0.5, "half"))
        await stage.press(pilot, "X")
        assert "▸ sharp-minimum" in text_of(stage.app)
        assert "50%" in text_of(stage.app)
        await stage.press(pilot, "escape")
        await stage.told(pilot, Result(msgspec.structs.replace(REPORT, verdict=Verdict.SUPPORTED)))
        assert stage.notes == ["sharp-minimum: supported"]


async def test_a_key_cancels_and_training_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X", "enter")
        await until(lambda: bool(stage.processes))
        await stage.press(pilot, "c")
        assert stage.processes[0].is_closed
        assert stage.commands(Resume) == 3
        assert text_of(stage.app).count("not run yet") == 6
        assert stage.app.main.lab.name == ""


async def test_one_thing_at_a_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X", "enter", "escape", "W", "enter")
        assert len(stage.processes) == 1
        assert stage.notes == ["one at a time: saddle is still running; c cancels it"]


async def test_a_look_before_the_screen_is_composed_waits_for_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot)
        stage.app.main.action_experiments()
        stage.app.main.poll_lab()  # as the timer may, at any moment
        await pilot.pause()
        assert "▸ saddle" in text_of(stage.app)


async def test_a_failure_is_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X", "enter")
        await stage.told(pilot, Failure(detail="its process was ended by SIGKILL"))
        assert "failed: its process was ended by SIGKILL" in text_of(stage.app)
        assert stage.commands(Resume) == 3
        await stage.press(pilot, "enter")  # again
        await until(lambda: len(stage.processes) == 2)


async def test_watching_pauses_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, watching=True)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X")
        assert "Training is paused" not in text_of(stage.app)
        await stage.press(pilot, "enter")
        await stage.told(pilot, Progress(0.1, "on its way"))
        assert stage.bench.controls.told == []
        assert "training continues beside it" in text_of(stage.app)
        await stage.told(pilot, Result(REPORT))
        assert stage.bench.controls.told == []


async def test_what_was_paused_before_stays_paused(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for name in stage.bench.names:
        stage.bench.write(name, state(State.PAUSED, 11.0))
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X")
        assert "resumes afterwards" not in " ".join(text_of(stage.app).split())
        await stage.press(pilot, "enter")
        await stage.told(pilot, Result(REPORT))
        assert stage.bench.controls.told == []


async def test_the_end_of_the_app_ends_what_runs(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot, "X", "enter")
        await until(lambda: bool(stage.processes))
    stage.app.close_lab()
    assert stage.processes[0].is_closed
    assert stage.commands(Resume) == 0


async def test_the_sweep_is_of_this_run_and_its_recommendation_goes_to_a_variant(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(160, 80)) as pilot:
        await stage.open(pilot, "W")
        assert "synthetic · batch sizes 1, 32, 128, 512, full" in text_of(stage.app)
        assert not stage.processes
        await stage.press(pilot, "enter")
        await stage.told(pilot, Progress(0.2, "Batch GD"))
        job = stage.processes[0].work
        assert job.func is sweep
        settings = job.args[0].settings
        assert job.args[0].handover is stage.bench.run.custody.handover
        assert [each.settings.batch_size for each in settings.variants] == [1, 32, 128, 512, FULL]
        assert (settings.problem, settings.seed, settings.pace) == ("synthetic", 0, None)
        await stage.told(pilot, Result(SWEEP))
        said = text_of(stage.app)
        assert re.search(r"batch size +1 +128 +full", said)
        assert "measured best: batch size 128, lr 0.02, accumulation 4" in said
        await stage.press(pilot, "2")
        told = stage.bench.controls.last(Change)
        assert list(told) == ["Mini-batch"]
        command = told["Mini-batch"]
        assert isinstance(command, Change)
        assert (command.settings.batch_size, command.settings.accumulation_steps) == (128, 4)
        assert command.settings.lr == pytest.approx(0.02)


async def test_a_sweeps_columns_come_one_by_one_with_how_far_the_next_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(160, 60)) as pilot:
        await stage.open(pilot, "W", "enter")
        await stage.told(pilot, Progress(0.2, "SGD, epoch 2 of 5"))
        assert "batch size  " not in text_of(stage.app)
        assert "SGD, epoch 2 of 5" in text_of(stage.app)
        failed = (FailedArm(name="SGD", reason="failed: net.py:3: ValueError: no"),)
        none_yet = msgspec.structs.replace(SWEEP, rows=(), failed=failed)
        await stage.told(pilot, PartialResult(none_yet))
        assert "SGD: failed: net.py:3: ValueError: no" in text_of(stage.app)
        assert "batch size  " not in text_of(stage.app)
        for rows, next_one, columns in ((1, "Mini-batch 128", " +1"), (2, "Batch GD", " +1 +128")):
            so_far = msgspec.structs.replace(SWEEP, rows=SWEEP.rows[:rows], recommendation=None)
            await stage.told(
                pilot, PartialResult(so_far), Progress(0.5, f"{next_one}, epoch 1 of 5")
            )
            said = text_of(stage.app)
            assert re.search(rf"batch size{columns} +[│┃|]", said)
            assert f"{next_one}, epoch 1 of 5" in said
            assert "ecommend" not in said
            assert "it may change as more follow" in said
        await stage.told(pilot, Result(msgspec.structs.replace(SWEEP, failed=failed)))
        assert re.search(r"batch size +1 +128 +full", text_of(stage.app))
        assert "SGD: failed: net.py:3: ValueError: no" in text_of(stage.app)
        await stage.press(pilot, "r")
        assert "batch size  " not in text_of(stage.app), (
            "what was found before is not what is found now"
        )


async def test_home_and_end_go_to_both_ends_of_the_table(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.open(pilot, "W", "enter")
        await stage.told(pilot, Result(SWEEP))
        box = stage.app.screen.query_one(VerticalScroll)
        assert box.max_scroll_y > 0
        await stage.press(pilot, "end")
        assert box.scroll_y == box.max_scroll_y
        await stage.press(pilot, "home")
        assert box.scroll_y == 0


async def test_what_stands_beside_a_growing_table_is_not_cut_off(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(80, 40)) as pilot:
        await stage.open(pilot, "W", "enter")
        await stage.told(pilot, PartialResult(msgspec.structs.replace(SWEEP, recommendation=None)))
        words = " ".join(re.sub("[│┃]", " ", text_of(stage.app)).split())
        assert words.count("free machine") + words.count("both are slower") == 1
        assert "it may change as more follow" in words


async def test_experiments_get_a_process_and_a_sweep_a_thread_that_starts_its_own(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await stage.open(pilot)
        await stage.press(pilot, "X", "enter")
        await stage.told(pilot, Result(REPORT))
        await stage.press(pilot, "escape", "W", "enter")
        await until(lambda: len(stage.processes) == 2)
    assert stage.begun_in == [("process", "saddle"), ("thread", "sweep")]


@pytest.mark.parametrize("rule", LrScaling)
def test_the_recommended_lr_is_the_one_in_force_whatever_the_rule(rule: LrScaling) -> None:
    choice = Recommendation(batch_size=128, lr=0.03, accumulation_steps=2, reason="")
    settings = recommended(VariantSettings(lr_scaling=rule, momentum=0.5), choice, N)
    assert settings.resolve(N).lr == pytest.approx(0.03)
    assert settings.momentum == 0.5


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (10, 3), (1, 1)])
async def test_every_size_shows_something_and_crashes_nothing(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stage = Stage(tmp_path)
    async with stage.app.run_test(size=size) as pilot:
        await stage.open(pilot, "X", "enter")
        await stage.told(pilot, Progress(0.5, "half"))
        await stage.told(pilot, Result(REPORT))
        await stage.press(pilot, "down", "down")
        assert stage.app.screen.subject == "flat-generalises"  # type: ignore[attr-defined]
        await stage.press(pilot, "escape", "W", "enter")
        await stage.told(pilot, Result(SWEEP))
