"""`gdtui experiment` on the command line: what is left of an experiment that fails in part."""

import json
from typing import Any

import pytest

from engine.experiments.report import Arm, FailedTrials, Report, Verdict
from engine.jobs import process_job
from engine.jobs.messages import Failure, Result
from engine.settings import FULL
from gdtui.cli.main import main
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

    def __enter__(self) -> "FakeJob":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, _: object) -> Any:
        return self.end


@pytest.fixture(autouse=True)
def _fake_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_job, "ProcessJob", FakeJob)


def test_seeds_that_failed_are_named_and_the_others_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["experiment", "saddle"]) == 1
    said = capsys.readouterr()
    assert said.err == f"gdtui experiment: {LINE}\n"
    assert said.out == text(REPORT) + "\n"
    assert f"left out  {LINE}" in said.out
    assert "2 seeds · cpu" in said.out
    assert main(["experiment", "saddle", "--json"]) == 1
    (failed,) = json.loads(capsys.readouterr().out)["failed"]
    assert (failed["arm"], failed["seeds"]) == ("1", [3, 7])


@pytest.mark.parametrize(("options", "lines"), [((), 1), (("--debug",), 3)])
def test_a_traceback_needs_to_be_asked_for(
    options: tuple[str, ...],
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failure = Failure(detail="ValueError: no", traceback="Traceback\nValueError: no\n")
    monkeypatch.setattr(FakeJob, "end", failure)
    assert main(["experiment", "saddle", *options]) == 1
    said = capsys.readouterr().err.splitlines()
    assert (len(said), said[-1]) == (lines, "gdtui experiment: ValueError: no")
