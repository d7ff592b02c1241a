"""A library is imported without its documentation, which others in the process still find."""

import sys
from pathlib import Path

import pytest

from gdtui.chart.drawing.parts.undocumented import undocumented


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library `talkative`, which imports its documentation."""
    folder = tmp_path / "talkative"
    folder.mkdir()
    (folder / "__init__.py").write_text("from talkative.manual import docs\n")
    (folder / "manual.py").write_text("docs = 'everything'\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("talkative", "talkative.manual"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]


@pytest.mark.usefixtures("library")
def test_the_library_comes_without_and_a_later_import_finds_it() -> None:
    with undocumented("talkative.manual"):
        import talkative  # type: ignore[import-not-found]
    assert talkative.docs is None
    from talkative.manual import docs  # type: ignore[import-not-found]

    assert docs == "everything"


@pytest.mark.usefixtures("library")
def test_documentation_that_is_there_stays() -> None:
    from talkative.manual import docs

    with undocumented("talkative.manual"):
        import talkative
    assert talkative.docs is docs
    assert sys.modules["talkative.manual"].docs is docs
