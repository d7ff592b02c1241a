"""A module for a library that is not installed says what to install."""

import sys
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("module", "libraries"),
    [("transformers", ["transformers"]), ("lightning", ["lightning", "pytorch_lightning"])],
)
def test_a_missing_library_is_named_with_its_command(
    module: str, libraries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"gdtui.integrations.{module}"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(sys.modules, "lightning.pytorch", raising=False)
    for library in libraries:
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf'pip install "{libraries[0]}'):
        import_module(name)
