"""`gdtui experiment` on the command line: what is left of an experiment that fails in part."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.experiments.report import Arm, FailedTrials, Report, Verdict
from engine.jobs import process_job
from engine.jobs.messages import Failure, Result
from engine.settings import FULL
from gdtui.cli.commands.measure import hosted_job
from gdtui.cli.main import main
from gdtui.state.runs.removal import remove_stored
from gdtui.state.stored_runs import stored_runs
from gdtui.view.text.reports.experiment_report import text

FAILED = FailedTrials(arm="1", seeds=(3, 7), is_whole=False, reason="the result is not finite")
REPORT = Report(
    experiment="saddle",
    claim="Noise leaves a saddle.",
    verdict=Verdict.UNDECIDED,
    rule="If the intervals lie apart.",
    meaning="They do not. This rests on 2 of 4 seeds.",
    measured="seeds that escaped",
    seeds=2,
    varied="the batch size",
    held=("all else",),
    arms=(
        Arm(name="full", batch_size=FULL, escaped=0, interval=(0.0, 0.6), per_seed=(0.0, 0.0)),
        Arm(name="1", batch_size=1, escaped=1, interval=(0.1, 0.9), per_seed=(1.0, 0.0)),
    ),
    failed=(FAILED,),
    source="nowhere",
    device="cpu",
)
LINE = "arm 1, seeds 3, 7: failed: the result is not finite"


class FakeJob:
    """A job that ends at once."""

    end: Any = Result(REPORT)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def poll(self) -> list[Any]:
        return [self.end]

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _fake_job(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(process_job, "ProcessJob", FakeJob)
    monkeypatch.setattr(hosted_job, "warm_up", lambda _: None)
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_seeds_that_failed_are_named_and_the_others_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = ["--run-dir", str(tmp_path / "saddle")]
    assert main(["experiment", "saddle", *place]) == 1
    said = capsys.readouterr()
    assert said.err == f"gdtui experiment: {LINE}\n"
    assert said.out == text(REPORT) + "\n"
    assert f"left out  {LINE}" in said.out
    assert "2 seeds · cpu" in said.out
    assert main(["experiment", "saddle", "--json", *place]) == 1
    (failed,) = json.loads(capsys.readouterr().out)["failed"]
    assert (failed["arm"], failed["seeds"]) == ("1", [3, 7])


@pytest.mark.parametrize(("options", "lines"), [((), 1), (("--debug",), 3)])
def test_a_traceback_needs_to_be_asked_for(
    options: tuple[str, ...],
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    failure = Failure(detail="ValueError: no", traceback="Traceback\nValueError: no\n")
    monkeypatch.setattr(FakeJob, "end", failure)
    path = tmp_path / "saddle"
    assert main(["experiment", "saddle", "--run-dir", str(path), *options]) == 1
    said = capsys.readouterr().err.splitlines()
    assert (len(said), said[-1]) == (lines, "gdtui experiment: ValueError: no")
    assert not path.exists()  # nothing was measured


def test_a_directory_keeps_one_experiment_which_can_be_named_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "saddle"
    first = ["experiment", "saddle", "--seeds", "4", "--run-dir", str(path)]
    assert main(first) == main(first) == main(["experiment", "--run-dir", str(path)]) == 1
    assert [listed.verdict for listed in stored_runs(tmp_path)] == ["undecided"]
    capsys.readouterr()
    for line, told in (
        ("accumulation", "another name"),
        ("saddle --seeds 5 --device mps", "another seeds and device"),
    ):
        assert main(["experiment", *line.split(), "--run-dir", str(path)]) == 2
        assert told in capsys.readouterr().err
    assert main(["experiment", "--run-dir", str(tmp_path / "none")]) == 2
    assert "holds no experiment" in capsys.readouterr().err
    assert remove_stored(stored_runs(tmp_path)[0])
    assert not path.exists()
