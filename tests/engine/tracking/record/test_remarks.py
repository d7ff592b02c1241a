"""Remarks of a tracked loop: in its log, on every screen, and in JSON."""

from pathlib import Path

import pytest
from loop_client import LoopClient
from msgspec.structs import replace
from portions import portion
from script_loops import ScriptLoop
from torch.optim.lr_scheduler import StepLR
from tracked_loops import Loop

from engine.log.directory import RunDirectory
from engine.log.records import Remarked
from engine.log.summary import Tally
from engine.settings import LrSchedule, VariantSettings
from engine.tracking.record.remarks import of_change, of_extension, of_name
from engine.tracking.run import TrackedRun
from gdtui.api.run import open_run
from gdtui.lesson.explain import explain
from gdtui.state.overlay.watch_source import WatchSource
from gdtui.state.runs.listing import RunList, document
from gdtui.state.store import Store

OWN = VariantSettings(batch_size=10, lr=0.1, schedule=LrSchedule.OWN)


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({"batch_size": 20}, "an epoch now has 5 updates instead of 10"),
        ({"accumulation_steps": 3}, "an epoch now has 4 updates instead of 10"),
        ({"batch_size": 5, "accumulation_steps": 2}, ""),
        ({"lr": 0.2}, ""),
    ],
)
def test_a_schedule_of_the_script_counts_updates(new: dict[str, int], told: str) -> None:
    found = [*of_change(OWN, replace(OWN, **new), 100)]
    assert [text.partition(":")[0] for text in found] == [told] * bool(told)
    plain = replace(OWN, schedule=LrSchedule.CONSTANT)
    assert [*of_change(plain, replace(plain, **new), 100)] == []


def test_more_epochs_than_a_schedule_may_be_made_for() -> None:
    (text,) = of_extension(OWN, 3, 6)
    assert text.startswith("6 epochs instead of 3: the script's lr schedule")
    assert [*of_extension(OWN, 3, 2)] == []
    assert [*of_extension(replace(OWN, schedule=LrSchedule.CONSTANT), 3, 6)] == []


def test_a_name_that_was_taken() -> None:
    assert [*of_name("a", "a")] == [*of_name()] == []
    assert [*of_name("a", "a #2")] == ["the run already has a variant a: this one is called a #2"]


def test_remarks_are_kept_once() -> None:
    tally = Tally("mine", OWN)
    for text in ("first", "second", "first"):
        tally.add(Remarked(batches=0, text=text))
    assert tally.worker.remarks == ["first", "second"]


def test_the_screens_and_json_show_them(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first, second = ScriptLoop(path, "mine"), ScriptLoop(path, "mine")
    for each in (first, second):
        each.train()
        each.run.close()
    told = "the run already has a variant mine: this one is called mine #2"
    remarks = open_run(path).variants["mine #2"].latest.remarks
    assert told in [each.text for each in remarks]
    run = RunDirectory.open(path)
    store = Store(run.info.settings)
    for name, record in portion(WatchSource(run)):
        store.add(name, record)
    assert f"mine #2: {told}" in store.take_said()
    (section,) = [
        each
        for each in explain(store, None, is_ours=False)
        if each.title == "How to read the figures"
    ]
    assert f"mine #2: {told}." in section.paragraphs
    (listed,) = RunList(tmp_path).read()
    assert f"mine #2: {told}" in document(listed)["progress"]["remarks"]


def test_a_key_that_changes_what_a_schedule_counts(tmp_path: Path) -> None:
    loop = Loop()
    StepLR(loop.optimizer, 7)
    run = TrackedRun(
        loop.optimizer, loop.loader, accumulation=1, name="mine", run_dir=tmp_path, version="0"
    )
    for count, batch in enumerate(run.epochs(2)):
        if count == 1:
            client = LoopClient(tmp_path)
            client.change(accumulation_steps=2)
            client.close()
        run.step(loop.loss(batch))
    run.close()
    (remark,) = open_run(tmp_path).variants["mine"].latest.remarks
    assert remark.text.startswith("an epoch now has 4 updates instead of 7")
    assert remark.batches == 2
