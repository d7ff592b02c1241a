"""The parts below the app: ladders, the table of keys, pending commands, forms, words."""

import pytest

from engine.log.commands import Change, Pause, Restart, SetPace
from engine.log.records import (
    Changed,
    CommandSent,
    Planned,
    Started,
    State,
    StateChanged,
    WorkerDied,
    WorkerReplaced,
)
from engine.log.summary import Tally
from engine.settings import FULL, BatchSize, LrScaling, SettingsError, VariantSettings
from gdtui.control import ladders, settings_form
from gdtui.keys import table as keys
from gdtui.state.pending import Pending
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting, screen_text

SMALL, LARGE = VariantSettings(batch_size=64), VariantSettings(batch_size=128)


# --- Ladders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "step", "expected"),
    [
        (1, 1, 2),
        (64, 1, 128),
        (1024, 1, FULL),
        (1500, 1, FULL),
        (48, 1, 64),
        (FULL, 1, None),
        (5000, 1, None),
        (FULL, -1, 1024),
        (48, -1, 32),
        (64, -1, 32),
        (1, -1, None),
    ],
)
def test_batch_sizes_go_by_powers_of_two_below_all_samples(
    size: BatchSize, step: int, expected: BatchSize | None
) -> None:
    assert ladders.next_batch_size(size, 2000, step) == expected


def test_a_power_of_two_that_is_all_samples_is_called_full() -> None:
    assert ladders.next_batch_size(32, 64, 1) == FULL
    assert ladders.next_batch_size(FULL, 64, -1) == 32


@pytest.mark.parametrize(
    ("lr", "step", "expected"),
    [
        (0.01, 1, 0.02),
        (0.02, 1, 0.05),
        (0.05, 1, 0.1),
        (0.1, -1, 0.05),
        (0.03, 1, 0.05),
        (0.03, -1, 0.02),
        (1e38, -1, 5e37),
        (1e38, 1, None),
        (1e-12, -1, None),
        (1e-12, 1, 2e-12),
    ],
)
def test_lr_goes_1_2_5(lr: float, step: int, expected: float | None) -> None:
    assert ladders.next_lr(lr, step) == expected


@pytest.mark.parametrize(
    ("steps", "size", "step", "expected"),
    [(1, 64, 1, 2), (3, 64, 1, 4), (3, 64, -1, 2), (1, 64, -1, None), (32, 64, 1, None), (8, FULL, 1, 16)],
)
def test_accumulation_doubles_until_an_update_holds_everything(
    steps: int, size: BatchSize, step: int, expected: int | None
) -> None:
    assert ladders.next_accumulation(steps, size, 2000, step) == expected


def test_paces_end_at_free() -> None:
    assert ladders.next_pace(50.0, 1) == (None,)
    assert ladders.next_pace(None, 1) is None
    assert ladders.next_pace(None, -1) == (50.0,)
    assert ladders.next_pace(3.0, -1) == (2.0,)
    assert ladders.next_pace(0.1, -1) is None


# --- Keys -------------------------------------------------------------------------------------------


def test_no_key_is_bound_twice() -> None:
    bound = [stroke.key for entry in keys.TABLE for stroke in entry.strokes]
    assert len(bound) == len(set(bound))


def test_the_footer_keeps_what_matters_most_and_fits() -> None:
    for width in (10, 20, 40, 80, 158, 400):
        entries = keys.footer_entries(width, 3)
        used = sum(len(entry.keys) + 1 + len(entry.label) for entry in entries) + 2 * (len(entries) - 1)
        assert used <= width or not entries
    assert [entry.id for entry in keys.footer_entries(16, 3)] == ["help", "quit"]
    assert len(keys.footer_entries(400, 3)) == sum(bool(entry.label) for entry in keys.TABLE)


@pytest.mark.parametrize(
    ("variants", "shown"), [(1, []), (2, ["1 2 0"]), (3, ["1…3 0"]), (9, ["1…9 0"]), (12, ["1…9 0"])]
)
def test_the_footer_offers_the_variants_that_there_are(variants: int, shown: list[str]) -> None:
    assert [e.keys for e in keys.footer_entries(400, variants) if e.id == "select"] == shown


@pytest.mark.parametrize(("variants", "most"), [(1, 1), (3, 3), (12, 9)])
def test_the_palette_offers_the_variants_that_there_are(variants: int, most: int) -> None:
    titles = [stroke.title for _, stroke in keys.reachable(variants)]
    chosen = [title for title in titles if title.startswith("Select variant")]
    assert chosen == [f"Select variant {place}" for place in range(1, most + 1)]
    assert "Select all variants" in titles
    assert len(titles) == sum(len(entry.strokes) for entry in keys.TABLE) - (9 - most)


def test_the_readmes_list_has_every_entry() -> None:
    text = keys.markdown()
    for entry in keys.TABLE:
        assert entry.help in text


# --- Pending ----------------------------------------------------------------------------------------


def sent(command: Change | Restart | Pause | SetPace, wall_time: float = 1.0) -> CommandSent:
    return CommandSent(variant="v", wall_time=wall_time, command=command)


def changed(command: int) -> Changed:
    return Changed(
        generation=1, settings=LARGE, epoch=1, batch=1, update=1, samples=0, seconds=0.0, command=command
    )


def started(command: int) -> Started:
    return Started(
        generation=2, settings=LARGE, n=10, model="", parameters=1, device="cpu", threads=1, epochs=1,
        pace=None, command=command,
    )  # fmt: skip


def test_a_change_is_pending_until_its_own_or_a_later_record_confirms_it() -> None:
    pending = Pending()
    pending.add(sent(Change(id=1, settings=SMALL)))
    pending.add(sent(Change(id=3, settings=LARGE)))
    assert pending.settings(SMALL) == LARGE
    pending.add(changed(1))
    assert pending.settings(SMALL) == LARGE
    pending.add(changed(3))
    assert not pending.commands


def test_a_confirmation_read_before_its_command_confirms_it_all_the_same() -> None:
    pending = Pending()
    pending.add(changed(3))
    pending.add(sent(Change(id=3, settings=LARGE)))
    assert not pending.commands


def test_each_kind_is_confirmed_by_its_own_records() -> None:
    pending = Pending()
    pending.add(sent(Pause(id=1)))
    pending.add(sent(SetPace(id=2, pace=None)))
    pending.add(sent(Restart(id=3, settings=LARGE)))
    pending.add(Planned(epochs=1, pace=None, command=2))
    assert pending.pace is None
    pending.add(StateChanged(generation=1, state=State.PAUSED, command=1))
    assert pending.going is None
    assert pending.restarts
    pending.add(started(3))
    assert not pending.restarts


def test_what_was_wanted_of_a_dead_worker_is_kept_for_the_restart() -> None:
    pending = Pending()
    pending.add(sent(Change(id=1, settings=LARGE)))
    pending.add(WorkerDied(variant="v", wall_time=2.0, detail=""))
    assert not pending.commands
    assert pending.settings(SMALL) == LARGE
    pending.add(WorkerReplaced(variant="v", wall_time=3.0, command=1))
    pending.add(started(0))
    assert pending.settings(SMALL) == SMALL


def test_a_restart_that_fails_does_not_stay_pending() -> None:
    pending = Pending()
    pending.add(sent(Restart(id=1, settings=LARGE)))
    pending.add(StateChanged(generation=2, state=State.FAILED, wall_time=2.0))
    assert not pending.restarts
    late = Pending()
    late.add(StateChanged(generation=2, state=State.FAILED, wall_time=2.0))
    late.add(sent(Restart(id=1, settings=LARGE)))
    assert not late.restarts


# --- Forms and words --------------------------------------------------------------------------------


def test_a_form_changes_what_was_filled_in_and_nothing_else() -> None:
    typed = {"batch_size": "full", "lr": " 1e-3 ", "lr_scaling": "Linear", "momentum": ""}
    before = VariantSettings(momentum=0.9)
    assert settings_form.read(typed, before, 2000) == VariantSettings(
        batch_size=FULL, lr=1e-3, lr_scaling=LrScaling.LINEAR, momentum=0.9
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [("batch_size", "0"), ("lr", "x"), ("lr", "-1"), ("lr_scaling", "cubic"), ("accumulation_steps", "1.5"),
     ("momentum", "1")],
)  # fmt: skip
def test_a_form_says_what_is_wrong(field: str, text: str) -> None:
    with pytest.raises(SettingsError):
        settings_form.read({field: text}, VariantSettings(), 2000)


def test_what_a_form_shows_it_reads_back() -> None:
    settings = VariantSettings(batch_size=FULL, lr=0.00012, momentum=0.9, lr_scaling=LrScaling.SQRT)
    typed = {field: settings_form.values(field, [settings])[0] for field in settings_form.FIELDS}
    assert settings_form.read(typed, VariantSettings(), 2000) == settings


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.6241, "0.624"), (0.0312, "0.0312"), (12345.6, "12,346"), (float("nan"), "–"), (float("inf"), "∞"),
     (0, "0"), (2.5e-7, "2.50e-7"), (3e9, "3.00e9")],
)  # fmt: skip
def test_numbers_are_short(value: float, expected: str) -> None:
    assert formatting.number(value) == expected


def test_a_difference_names_what_changed() -> None:
    after = VariantSettings(batch_size=FULL, lr=0.02)
    assert formatting.difference(SMALL, after, 2000) == "batch 64→full, lr 0.01→0.02"
    assert formatting.difference(SMALL, SMALL, 2000) == ""


# --- The settings line ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [FULL, 64, 1])
def test_the_settings_of_a_panel_are_cut_nowhere(size: BatchSize) -> None:
    """A panel of three has 49 columns on a screen of 160."""
    settings = VariantSettings(
        batch_size=size, lr_scaling=LrScaling.LINEAR, accumulation_steps=16, momentum=0.9, optimizer="SGD"
    )
    one = VariantState(0, Tally("a", settings, n=2000))
    said = screen_text.settings(one, 49)
    assert said.cell_length <= 49
    for word in ("batch", "linear", "×16", "mom 0.9"):
        assert word in said.plain


def test_a_wide_panel_says_what_the_lr_was_scaled_from() -> None:
    one = VariantState(0, Tally("a", VariantSettings(lr_scaling=LrScaling.LINEAR, batch_size=32), n=2000))
    assert screen_text.settings(one, 49).plain == "batch 32 · lr 0.005 (linear from 0.01)"
