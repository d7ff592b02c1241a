"""The examples with Trainers in the page on own loops run as printed."""

from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, code_blocks

from gdtui.api.run import open_run

pytestmark = pytest.mark.integration

EXAMPLES = [
    each for each in code_blocks(DOCS / "your-own-loop.md", "python") if "gdtui.integr" in each
]
LIBRARIES = ("transformers", "lightning")


@pytest.mark.parametrize("library", LIBRARIES)
def test_examples_with_trainers_run(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (code,) = [each for each in EXAMPLES if f"from {library}" in each]
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(code, names)
    trainer = names["trainer"]
    callbacks = getattr(trainer, "callback_handler", trainer).callbacks
    (record,) = [each.record for each in callbacks if hasattr(each, "record")]
    path = record.path
    record.close()
    (variant,) = open_run(path).variants.values()
    rows = variant.latest.batches
    assert (variant.state, variant.incomplete) == ("finished", "")
    assert rows.update.tolist() == [i // 2 + 1 for i in range(len(rows))]
    assert len(rows) == {"transformers": 48, "lightning": 60}[library]
