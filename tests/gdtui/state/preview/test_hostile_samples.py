"""Samples of logs from other users yield curves that can be drawn, or none."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hostile_logs import log_bytes, sound_log
from hostile_reading import bounded, pictures_of
from hypothesis import event, given, settings
from hypothesis import strategies as st
from long_logs import long_run

from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.preview import log_sample
from gdtui.state.preview.preview import Preview
from gdtui.view.view_state import ViewState

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))


@pytest.fixture(autouse=True, scope="module")
def _short_logs_are_sampled() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_sample, "SHORT", 0)
        patch.setattr(log_sample, "NARROW", 1 << 9)
        patch.setattr(log_sample, "LOSSES", 1)
        yield


@pytest.mark.timeout(0)  # each example has a limit of its own
@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_a_sample_of_a_hostile_log_is_drawn_or_given_up(data: st.DataObject) -> None:
    is_spoilt = data.draw(st.sampled_from([False, False, True]))
    content = data.draw(log_bytes(data.draw(sound_log()), is_spoilt=is_spoilt))
    with tempfile.TemporaryDirectory() as folder, bounded():
        run = long_run(Path(folder) / "run", [])
        run.variant_log("A").write_bytes(content)
        preview = Preview(ShownRuns.of(run))
        while preview.take_on():
            pass
        event(f"curves: {preview.store is not None}")
        if preview.store is not None:
            viewer = SimpleNamespace(store=preview.store, view=ViewState())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert [*pictures_of(viewer, drawn=None)]  # type: ignore[arg-type]
