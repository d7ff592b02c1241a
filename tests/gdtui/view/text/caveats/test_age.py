"""Measured figures go pale under other settings and with time, and tell their age."""

import re

import numpy as np
from app_bench import N, changed, evaluation
from msgspec.structs import replace

from engine.log.measurements import NoiseScale, Sharpness
from engine.log.records import AnyRecord, Chunk, Measured, Started, State, StateChanged
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.state.store import Store
from gdtui.view.text.panel import figures
from gdtui.view.text.panel.gauges import gauges
from gdtui.view.text.styled import StyledText

SETTINGS = VariantSettings(batch_size=16)


STORE = RunSettings(variants=(Variant(name="Mini-batch 16", settings=SETTINGS),))


def began() -> Store:
    """A variant that was measured once, before its first batch."""
    store = Store(STORE)
    add(
        store,
        Started(
            generation=1, settings=SETTINGS, n=N, model="", parameters=1, device="cpu", threads=1,
            epochs=9, pace=None,
        ),
        StateChanged(generation=1, state=State.RUNNING),
        evaluation(0, validation=0.9),
        measured(0),
    )  # fmt: skip
    return store


def add(store: Store, *records: AnyRecord) -> None:
    for record in records:
        store.add("Mini-batch 16", record)


def measured(samples: int) -> Measured:
    return Measured(
        generation=1, epoch=0, updates=samples // 10, samples=samples, seconds=0.0,
        effective_batch=16, lr=0.01, edge=200.0, cost=0.01,
        noise=NoiseScale(value=48, low=40, high=60, trace=48, gradient_squared=1, samples=100),
        sharpness=Sharpness(value=3.0, error=0.0, products=9, samples=N),
    )  # fmt: skip


def train(store: Store, samples: int) -> None:
    """So many samples on, in batches of 10."""
    at, count = store.states[0].tally.samples, samples // 10
    add(
        store,
        Chunk(
            generation=1, epoch=1 + at // N, batch=at // 10 + 1, update=at // 10 + 1, in_update=0,
            samples=at, seconds=at * 1e-3, duration=samples * 1e-3, batch_size=10,
            last_batch_size=10, accumulation_steps=1, lr=0.01,
            losses=np.tile([0.4, 0.6], count)[:count].astype("<f4").tobytes(),
        ),
    )  # fmt: skip


def pale(text: StyledText) -> str:
    return "".join(part for part, style in text.parts if style == "$quiet")


def gauge(store: Store) -> StyledText:
    return gauges(store.states[0], 120, 2)


def rows(store: Store) -> StyledText:
    """The rows below a chart."""
    return figures.rows(store.states[0], store, 0.25, 120, 3)


def test_noise_scale_and_sharpness_go_pale_with_the_epochs_and_tell_them() -> None:
    store = began()
    train(store, N // 2)
    assert not re.search("noise scale|curvature", pale(gauge(store)))
    train(store, N // 2)
    train(store, 10)
    assert "noise scale (48" in pale(gauge(store))
    assert "curvature 3.00" in pale(gauge(store))
    assert gauge(store).plain.count(" · 1 epoch ago") == 2
    train(store, N - 10)
    assert gauge(store).plain.count(" · 2 epochs ago") == 2
    add(store, measured(2 * N))
    assert "noise scale (48" not in pale(gauge(store))
    assert "ago" not in gauge(store).plain


def test_a_figure_measured_under_other_settings_is_pale_at_once() -> None:
    store = began()
    train(store, 100)
    assert not re.search("noise|◆|◇|gap", pale(gauge(store)) + pale(rows(store)))
    add(store, changed(replace(SETTINGS, batch_size=128), 1, batch=11))
    assert gauge(store).plain.count(" · before batch 16→128") == 2
    for figure in ("◆ all data", "◇ validation", "gap", "noise "):
        assert figure in pale(rows(store))
    assert "before batch 16→128" in rows(store).plain
    add(store, changed(SETTINGS, 2, batch=11))  # and back: the same settings as then
    assert "noise scale (48" not in pale(gauge(store))


def test_the_noise_is_pale_until_no_batch_of_other_settings_is_in_it() -> None:
    store = began()
    train(store, 100)
    add(store, changed(replace(SETTINGS, lr=0.1), 1, batch=11))
    train(store, N - 100)
    assert "noise" in pale(rows(store))
    train(store, 100)
    assert "noise" not in pale(rows(store))


def test_in_the_results_of_epoch_ends_a_loss_is_fresh_until_the_next_epoch_is_over() -> None:
    store = began()
    train(store, N)
    add(store, evaluation(1, validation=0.9))
    train(store, N)
    assert "◆" not in pale(rows(store))  # its successor is on the way
    train(store, 10)
    assert "◆" in pale(rows(store))
    assert "1 epoch ago" in rows(store).plain
