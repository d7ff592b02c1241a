"""The app's parts find what they call of the whole: no stub hides it."""

import pytest

from gdtui.app import GdtuiApp
from gdtui.app_part import AppPart


@pytest.mark.parametrize("name", [name for name in vars(AppPart) if not name.startswith("__")])
def test_no_stub_is_what_the_app_runs(name: str) -> None:
    assert getattr(GdtuiApp, name) is not getattr(AppPart, name)
