"""A tracked loop trains like the plain one, records every batch, and obeys commands."""

import csv
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from tracked_loops import EPOCHS, Loop, plain

from engine.log.commands import AnyCommand, Change, Pause, Restart, Resume, SetPace, StepOnce
from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Changed, State, StateChanged
from engine.session.host.client import HostError, HostLink, find_host
from engine.settings import LrScaling, VariantSettings
from engine.tracking.run import TrackedRun
from gdtui.api.run import Generation, open_run
from gdtui.export.csv_export import export

Track = Callable[..., TrackedRun]
NAMED: dict[str, Any] = {"accumulation": 1, "name": "mine", "run_dir": None, "version": "0"}


@pytest.fixture
def track(tmp_path: Path) -> Iterator[Track]:
    """`track(loop, …)`: a tracked run in `tmp_path / "run"`, closed at the end."""
    runs: list[TrackedRun] = []

    def make(loop: Loop, **options: Any) -> TrackedRun:
        settings = {"accumulation": 1, "name": "mine", "run_dir": tmp_path / "run", **options}
        settings.setdefault("loader", loop.loader)
        runs.append(TrackedRun(loop.optimizer, version="0", **settings))
        return runs[-1]

    yield make
    for run in runs:
        run.close()


def logged(tmp_path: Path, name: str = "mine") -> Generation:
    return open_run(tmp_path / "run").variants[name].latest


def assert_recorded(tmp_path: Path, loop: Loop, accumulation: int = 1) -> None:
    found = open_run(tmp_path / "run").variants["mine"]
    assert (found.state, found.incomplete) == (State.FINISHED, "")
    rows = found.latest.batches
    assert np.array_equal(rows.loss, np.array(loop.losses, np.float32))
    assert rows.batch.tolist() == [*range(1, 22)]
    assert rows.batch_size.tolist() == [8, 8, 8, 8, 8, 8, 2] * EPOCHS
    assert rows.epoch.tolist() == [1] * 7 + [2] * 7 + [3] * 7
    per_epoch = -(-7 // accumulation)
    expected = [e * per_epoch + i // accumulation + 1 for e in range(EPOCHS) for i in range(7)]
    assert rows.update.tolist() == expected


def test_step_without_accumulation_gives_the_same_bits(track: Track, tmp_path: Path) -> None:
    expected, loop = plain(Loop()), Loop()
    run = track(loop)
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
    run.close()
    assert torch.equal(loop.weights, expected.weights)
    assert loop.losses == expected.losses
    assert_recorded(tmp_path, loop)


def test_log_gives_the_same_bits(track: Track, tmp_path: Path) -> None:
    expected, loop = plain(Loop()), Loop()
    run = track(loop)
    for batch in run.epochs(EPOCHS):
        loss = loop.loss(batch)
        loss.backward()
        loop.optimizer.step()
        loop.optimizer.zero_grad()
        run.log(loss=loss)
    run.close()
    assert torch.equal(loop.weights, expected.weights)
    assert_recorded(tmp_path, loop)


@pytest.mark.parametrize("accumulation", [2, 3, 7, 10])
def test_accumulation_is_exact_with_short_batches_and_groups(
    track: Track, tmp_path: Path, accumulation: int
) -> None:
    expected, loop = plain(Loop(), accumulation), Loop()
    run = track(loop, accumulation=accumulation)
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
    run.close()
    assert (loop.weights - expected.weights).abs().max() < 1e-12
    assert_recorded(tmp_path, loop, accumulation)


@pytest.mark.parametrize("as_tensors", [False, True])
def test_a_group_is_averaged_over_its_weights(tmp_path: Path, as_tensors: bool) -> None:
    """As a loss over tokens: the gradient is that of the mean over all of the group's tokens."""
    weights = [3.0, 0.0, 5.0]
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64)
    model = nn.Linear(4, 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    run = TrackedRun(
        optimizer, None, accumulation=3, name="mine", run_dir=tmp_path / "run", version="0"
    )
    before = model.weight.detach().clone()
    for row, weight in zip(x, weights, strict=True):
        given = torch.tensor(weight) if as_tensors else weight
        run.step(model(row).sum(), weight=given)
    expected = before - sum(w * row for w, row in zip(weights, x, strict=True)) / 8
    assert (model.weight - expected).abs().max() < 1e-12
    run.close()
    started = logged(tmp_path).started
    assert started is not None
    # nobody has said
    assert started.assumed == ("batch_size", "samples", "epoch", "planned_epochs")


def test_switched_off_it_trains_and_writes_nothing(
    track: Track, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDTUI", "off")
    expected, loop = plain(Loop(), 3), Loop()
    run = track(loop, accumulation=3)
    threads = threading.active_count()
    for batch in run.epochs(EPOCHS):
        run.step(loop.loss(batch))
    assert threading.active_count() == threads
    assert (loop.weights - expected.weights).abs().max() < 1e-12
    assert not [*tmp_path.iterdir()]


def test_two_loops_with_one_directory_are_two_variants(track: Track, tmp_path: Path) -> None:
    loops = [Loop(), Loop(batch_size=16)]
    runs = [track(loop) for loop in loops]
    for run, loop in zip(runs, loops, strict=True):
        for batch in run.epochs(1):
            run.step(loop.loss(batch))
    for run in runs:
        run.close()
    found = open_run(tmp_path / "run").variants
    assert [*found] == ["mine", "mine #2"]
    assert [len(each.latest.losses) for each in found.values()] == [7, 4]


def test_a_loop_that_joins_is_seen_by_those_who_watch_already(track: Track, tmp_path: Path) -> None:
    first, second = Loop(), Loop()
    batches = iter(track(first).epochs(1))
    next(batches)
    seen = Follower(RunDirectory.open(tmp_path / "run"))
    run = track(second)
    for batch in run.epochs(1):
        run.step(second.loss(batch))
    run.close()
    found: set[str] = set()
    while "mine #2" not in found:
        found |= {name for name, _ in seen.read()}
        time.sleep(0.01)


# --- Commands -----------------------------------------------------------------------------------


class Client:
    """A viewer of the run in `path`, in the loop's own process."""

    def __init__(self, path: Path) -> None:
        self._link = HostLink(path, find_host(path), "0", is_viewer=True)
        self.settings = self._link.welcome.settings["mine"]

    def order(self, command: AnyCommand) -> None:
        self._link.order({"mine": command})

    def change(self, **settings: Any) -> None:
        values = {name: getattr(self.settings, name) for name in self.settings.__struct_fields__}
        self.settings = VariantSettings(**{**values, **settings})
        self.order(Change(id=0, settings=self.settings))

    def close(self) -> None:
        self._link.close()


def test_changes_are_in_force_at_the_next_update(track: Track, tmp_path: Path) -> None:
    loop, lrs = Loop(), []
    run = track(loop, accumulation=2)
    loop.optimizer.register_step_pre_hook(
        lambda *_: lrs.append(loop.optimizer.param_groups[0]["lr"])
    )
    client = None
    for count, batch in enumerate(run.epochs(2), start=1):
        if client is None:
            client = Client(tmp_path / "run")
        if count == 3:
            client.change(lr=0.1)
        if count == 6:
            client.change(batch_size=5)
            client.change(accumulation_steps=3)
        run.step(loop.loss(batch))
    assert client is not None
    client.close()
    run.close()
    rows = logged(tmp_path).batches
    assert rows.lr[:5].tolist() == [0.05] * 4 + [0.1]
    assert rows.batch_size.tolist() == [8] * 6 + [2] + [5] * 10
    assert rows.update.tolist() == [1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8]
    assert loop.optimizer.param_groups[0]["lr"] == 0.05  # the loop's own, outside of a step
    assert [each.batch for each in logged(tmp_path).changes] == [5, 7]


def states_in(path: Path) -> list[State]:
    records = logged(path).records
    return [each.state for each in records if isinstance(each, StateChanged)]


def command_paused(client: Client, path: Path, orders: list[AnyCommand]) -> None:
    """Send each command once the loop has been paused once more."""
    for count, order in enumerate(orders, start=1):
        while states_in(path).count(State.PAUSED) < count:
            time.sleep(0.01)
        client.order(order)


def test_pause_one_update_and_resume(track: Track, tmp_path: Path) -> None:
    loop = Loop()
    run = track(loop, accumulation=2)
    client = other = None
    for count, batch in enumerate(run.epochs(1), start=1):
        client = client or Client(tmp_path / "run")
        if count == 3:
            client.order(Pause(id=0))
            orders: list[AnyCommand] = [StepOnce(id=0), Resume(id=0)]
            other = threading.Thread(target=command_paused, args=(client, tmp_path, orders))
            other.start()
        run.step(loop.loss(batch))
    assert client is not None
    assert other is not None
    other.join()
    client.close()
    run.close()
    assert [each.name for each in states_in(tmp_path)] == [
        "RUNNING", "PAUSED", "RUNNING", "PAUSED", "RUNNING", "FINISHED",
    ]  # fmt: skip
    assert len(loop.losses) == 7


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Restart(id=0, settings=VariantSettings()), "run it again"),
        (SetPace(id=0, pace=1.0), "pace"),
        (Change(id=0, settings=VariantSettings(optimizer="adam")), "decides"),
    ],
)
def test_what_a_script_cannot_do_is_refused(
    track: Track, tmp_path: Path, command: AnyCommand, reason: str
) -> None:
    loop = Loop()
    run = track(loop)
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
        client = Client(tmp_path / "run")
        with pytest.raises(HostError, match=reason):
            client.order(command)
        client.close()
        break


def test_the_batch_size_stays_if_the_loop_reads_its_own_batches(
    track: Track, tmp_path: Path
) -> None:
    loop = Loop()
    run = track(loop)
    client = None
    for batch in loop.loader:
        run.step(loop.loss(batch))
        client = client or Client(tmp_path / "run")
    assert client is not None
    with pytest.raises(HostError, match="the batch size stays: the loop does not draw"):
        client.change(batch_size=4)
    client.close()
    run.close()
    rows = logged(tmp_path).batches
    assert rows.batch_size.tolist() == [8, 8, 8, 8, 8, 8, 2]


def test_linear_scaling_follows_the_batch_size(track: Track, tmp_path: Path) -> None:
    loop = Loop()
    run = track(loop)
    client = None
    for count, batch in enumerate(run.epochs(1), start=1):
        client = client or Client(tmp_path / "run")
        if count == 2:
            client.change(batch_size=16, lr_scaling=LrScaling.LINEAR)
        run.step(loop.loss(batch))
    assert client is not None
    client.close()
    run.close()
    assert logged(tmp_path).batches.lr.tolist() == [0.05, 0.05, 0.1, 0.1, 0.1]
    assert isinstance(logged(tmp_path).changes[0], Changed)


# --- Numbers by name ----------------------------------------------------------------------------


def test_numbers_by_name_become_columns(track: Track, tmp_path: Path) -> None:
    loop = Loop()
    run = track(loop)
    run.log(before=1.5)
    for count, batch in enumerate(run.epochs(1), start=1):
        run.step(loop.loss(batch))
        run.log(grad_norm=torch.tensor(count / 2), epoch=count)
        if count == 3:
            run.log(val_loss=0.25)
    run.log(final=7)
    run.close()
    scalars = logged(tmp_path).scalars
    assert scalars["grad_norm"].tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    assert [np.flatnonzero(~np.isnan(scalars[name])).tolist() for name in scalars] == [
        [0], [*range(7)], [*range(7)], [2], [6],
    ]  # fmt: skip
    columns = open_run(tmp_path / "run").columns()
    assert [*columns][-5:] == ["before", "grad_norm", "logged_epoch", "val_loss", "final"]
    output = io.BytesIO()
    directory = RunDirectory.open(tmp_path / "run")
    assert [*export(directory, output)] == []
    rows = [*csv.DictReader(io.StringIO(output.getvalue().decode()))]
    assert [row["grad_norm"] for row in rows] == [str(k / 2) for k in range(1, 8)]
    assert [row["val_loss"] for row in rows] == ["", "", "0.25", "", "", "", ""]
    assert [row["epoch"] for row in rows] == ["1"] * 7


def test_something_that_is_no_number_ends_no_recording(
    track: Track, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loop = Loop()
    run = track(loop)
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
        run.log(note="words", many=None, vector=torch.ones(2), norm=1.0)
        run.log(**{f"number {k}": 1.0 for k in range(1_200)})  # more than a log may have
    run.close()
    assert {"norm", "number 0"} < logged(tmp_path).scalars.keys()
    assert logged(tmp_path).batches.batch.tolist() == [*range(1, 8)]
    assert open_run(run.path or "").variants["mine"].state is State.FINISHED
    assert capfd.readouterr().err.count("note is not recorded") == 1


def test_an_lr_that_no_log_can_hold_is_recorded_as_0(track: Track, tmp_path: Path) -> None:
    loop = Loop()
    for factor in (-1.0, float("nan"), torch.tensor(2.0)):
        run = track(loop, loader=None, run_dir=tmp_path / f"run{factor}")
        run.log(loss=1.0, lr=factor)
        run.close()
        found = open_run(run.path or "").variants["mine"].latest
        assert found.batches.lr.tolist() == [2.0 if factor == 2 else 0.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda track, loop: TrackedRun(loop.loader, loop.optimizer, **NAMED),
        lambda track, loop: track(loop, accumulation=2.5),
        lambda track, loop: track(loop).epochs(-1),
        lambda track, loop: track(loop).epochs("2"),
        lambda track, loop: track(loop).log(loss=1.0, samples=-1),
        lambda track, loop: track(loop).step(torch.ones(()), samples=2.5),
        lambda track, loop: track(loop).checkpoint(loop.model, every="1m"),
    ],
)
def test_arguments_that_cannot_be_right_are_refused(
    track: Track, tmp_path: Path, call: Callable[[Track, Loop], object]
) -> None:
    with pytest.raises((TypeError, ValueError), match="expected"):
        call(track, Loop())
    assert not (tmp_path / "run").exists()


def test_a_loop_without_torch_or_optimizer_logs_numbers(tmp_path: Path) -> None:
    run = TrackedRun(None, None, accumulation=2, name="mine", run_dir=tmp_path / "run", version="0")
    for count in range(5):
        run.log(loss=count / 4, samples=3)
    run.close()
    found = logged(tmp_path)
    assert found.losses.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.batches.update.tolist() == [1, 1, 2, 2, 3]
    assert found.started is not None
    assert found.started.assumed == ("epoch", "lr", "planned_epochs")
