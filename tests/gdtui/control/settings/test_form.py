"""The form for exact settings: what is typed, what is wrong with it, what it shows."""

import pytest

from engine.settings import FULL, LrScaling, LrSchedule, Precision, SettingsError, VariantSettings
from gdtui.control.settings import form


def test_a_form_changes_what_was_filled_in_and_nothing_else() -> None:
    typed = {"batch_size": "full", "lr": " 1e-3 ", "lr_scaling": "Linear", "momentum": ""}
    before = VariantSettings(momentum=0.9)
    assert form.read(typed, before, 2000) == VariantSettings(
        batch_size=FULL, lr=1e-3, lr_scaling=LrScaling.LINEAR, momentum=0.9
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [("batch_size", "0"), ("lr", "x"), ("lr", "-1"), ("lr_scaling", "cubic"),
     ("accumulation_steps", "1.5"), ("momentum", "1"), ("drop_last", "yes")],
)  # fmt: skip
def test_a_form_says_what_is_wrong(field: str, text: str) -> None:
    with pytest.raises(SettingsError):
        form.read({field: text}, VariantSettings(), 2000)


def test_what_a_form_shows_it_reads_back() -> None:
    settings = VariantSettings(batch_size=FULL, lr=0.00012, momentum=0.9, lr_scaling=LrScaling.SQRT)
    typed = {field: form.values(field, [settings])[0] for field in form.FIELDS}
    assert form.read(typed, VariantSettings(), 2000) == settings


def test_the_form_reads_and_shows_a_whole_recipe() -> None:
    settings = VariantSettings(
        optimizer="adamw(weight_decay=0.1, betas=(0.9, 0.95))",
        schedule=LrSchedule.COSINE,
        warmup=1234567.0,
        clip=0.1 + 0.2,
        precision=Precision.BF16,
        batch_warmup=0.25,
    )
    typed = {field: form.values(field, [settings])[0] for field in form.FIELDS}
    assert form.read(typed, VariantSettings(), 2000) == settings
    assert form.read({"clip": "off"}, settings, 0).clip is None


@pytest.mark.parametrize(
    ("field", "text"),
    [("schedule", "cubic"), ("warmup", "-1"), ("clip", "0"), ("precision", "fp8"),
     ("batch_warmup", "x"), ("optimizer", "adamw(0.1)"), ("schedule", "own")],
)  # fmt: skip
def test_a_form_refuses_what_is_no_recipe(field: str, text: str) -> None:
    with pytest.raises(SettingsError):
        form.read({field: text}, VariantSettings(warmup=0.1), 2000)


def test_the_last_batch_is_dropped_or_kept() -> None:
    assert form.values("drop_last", [VariantSettings()]) == ["off"]
    dropping = form.read({"drop_last": "on"}, VariantSettings(), 2000)
    assert dropping.drop_last
    assert form.values("drop_last", [dropping]) == ["on"]
    assert not form.read({"drop_last": "off"}, dropping, 2000).drop_last
