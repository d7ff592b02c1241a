"""The form for exact settings: what is typed, what is wrong with it, what it shows."""

import pytest

from engine.settings import FULL, LrScaling, SettingsError, VariantSettings
from gdtui.control import settings_form


def test_a_form_changes_what_was_filled_in_and_nothing_else() -> None:
    typed = {"batch_size": "full", "lr": " 1e-3 ", "lr_scaling": "Linear", "momentum": ""}
    before = VariantSettings(momentum=0.9)
    assert settings_form.read(typed, before, 2000) == VariantSettings(
        batch_size=FULL, lr=1e-3, lr_scaling=LrScaling.LINEAR, momentum=0.9
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [("batch_size", "0"), ("lr", "x"), ("lr", "-1"), ("lr_scaling", "cubic"),
     ("accumulation_steps", "1.5"), ("momentum", "1")],
)  # fmt: skip
def test_a_form_says_what_is_wrong(field: str, text: str) -> None:
    with pytest.raises(SettingsError):
        settings_form.read({field: text}, VariantSettings(), 2000)


def test_what_a_form_shows_it_reads_back() -> None:
    settings = VariantSettings(batch_size=FULL, lr=0.00012, momentum=0.9, lr_scaling=LrScaling.SQRT)
    typed = {field: settings_form.values(field, [settings])[0] for field in settings_form.FIELDS}
    assert settings_form.read(typed, VariantSettings(), 2000) == settings
