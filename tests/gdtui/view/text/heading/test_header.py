"""The first line: progress and time left, at every width."""

import re
from pathlib import Path

import pytest
from app_bench import Bench, evaluation, state
from portions import portion

from engine.log.commands import Pause
from engine.log.records import CommandSent, Planned, State
from gdtui.state.record_source import LogSource, ViewerRole
from gdtui.state.store import Store
from gdtui.view.text.heading.header import header
from gdtui.view.text.progress.live import left_in_words, seconds_left


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two of three variants have trained 3 of 20 epochs, at one epoch a second; 1,000 samples/s."""
    bench = Bench(tmp_path / "run")
    bench.begin()
    for place, name in enumerate(bench.names):
        epochs = 1 if place == 2 else 3
        bench.train(name, [0.5] * 200 * epochs)
        bench.write(name, evaluation(epochs))
    return bench


def store_of(bench: Bench) -> Store:
    store = Store(bench.run.info.settings)
    for name, record in portion(LogSource(bench.run)):
        store.add(name, record)
    return store


def test_the_time_left_is_that_of_the_variant_that_ends_last(bench: Bench) -> None:
    store = store_of(bench)
    assert seconds_left(store) == pytest.approx(19 * 2), "2,000 samples an epoch at 1,000 a second"
    for name in bench.names:
        store.add(name, Planned(epochs=20, pace=0.1, command=0))
    assert seconds_left(store) == pytest.approx(190), "at a pace of 0.1 epochs a second"


def test_a_variant_without_a_loss_leaves_it_unknown(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run")
    bench.begin()
    assert seconds_left(store_of(bench)) is None


def test_nothing_is_left_while_nothing_trains(bench: Bench) -> None:
    store = store_of(bench)
    for number, name in enumerate(bench.names, start=1):
        store.add(name, CommandSent(variant=name, wall_time=1.0, command=Pause(id=number)))
    assert seconds_left(store) is None
    for name in bench.names:
        store.add(name, state(State.PAUSED, 20.0))
    assert seconds_left(store) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "00:01 left"),
        (59.2, "01:00 left"),
        (61, "01:05 left"),
        (600, "10:00 left"),
        (601, "11:00 left"),
        (86_400, "24:00:00 left"),
        (8_640_000, "100 days left"),
    ],
)
def test_many_seconds_are_rounded_up_in_steps(seconds: float, said: str) -> None:
    assert left_in_words(seconds) == said


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (
            158,
            "gdtui · synthetic · Linear(10,1) · cpu · seed 0 | "
            "epoch 1/20 ──────────── · 00:38 left · 1 epoch/s · 00:50 · running",
        ),
        (78, "gdtui · synthetic | epoch 1/20 ────── · 00:38 left · 1 epoch/s · running"),
        (60, "gdtui | epoch 1/20 ────── · 00:38 left · 1 epoch/s · running"),
        (45, "epoch 1/20 · 1 epoch/s · 00:50 · running"),
        (30, "1 epoch/s · 00:50 · running"),
    ],
)
def test_what_matters_most_stays_where_it_is_narrow(bench: Bench, width: int, said: str) -> None:
    line = header(store_of(bench), width, 60.0)
    assert line.cell_length <= width
    assert re.split(" {2,}", line.plain.replace("  1/", " 1/").strip()) == said.split(" | ")


def test_the_bar_grows_with_the_slowest_variant(bench: Bench) -> None:
    for place, name in enumerate(bench.names):
        done = 200 if place == 2 else 600
        bench.train(name, [0.5] * (2_600 - done), batch=done + 1, epoch=13)
        bench.write(name, evaluation(13))
    assert " ━━━━━━━───── · " in header(store_of(bench), 158, 60.0).plain


def test_the_share_read_of_a_long_past_is_at_the_end(bench: Bench) -> None:
    line = header(store_of(bench), 158, 60.0, ViewerRole.ATTACHED, read=0.429).plain
    assert line.endswith(" · running · reading 42% · attached, d detaches")
    assert header(store_of(bench), 45, 60.0, read=0.0).plain.endswith("reading 0%")
    assert "reading" not in header(store_of(bench), 158, 60.0).plain
