"""The step that computes updates, in a number, in words, in notes and in JSON."""

import math
from pathlib import Path

import pytest
from plain_chunks import plain_chunk

from engine.log.directory import RunDirectory
from engine.log.figures.execution import execution_text, speed_up, times
from engine.log.json_report import report
from engine.log.reading.notes import notes_of
from engine.log.records import Execution, Started
from engine.log.summary import Tally
from engine.settings import RunSettings, Variant, VariantSettings

COMPILED = Execution(
    generation=1, batch=1_204, update=1_204, seconds=2.0, compiled=16, build="k", eager_speed=600.0
)
EAGER = Execution(generation=1, batch=5, update=5, seconds=1.0, reason="no C++ compiler was found")


def test_the_ratio_is_that_of_updates_per_second_of_training() -> None:
    assert speed_up(COMPILED, 1_203 + 6_600, 3.0) == pytest.approx(11)
    assert execution_text(COMPILED, 1_203 + 6_600, 3.0) == "compiled from update 1,204: 11 ×"
    assert math.isnan(speed_up(COMPILED, 1_203, 2.0))
    assert execution_text(COMPILED, 1_203, 2.0) == "compiled from update 1,204"
    assert execution_text(EAGER, 9, 2.0) == "not compiled: no C++ compiler was found"
    assert execution_text(None, 9, 2.0) == ""
    ratios = (1.13, 9.94, 9.96, 1234)
    assert [times(each) for each in ratios] == ["1.1 ×", "9.9 ×", "10 ×", "1,234 ×"]


def test_the_log_tells_the_user_once() -> None:
    assert [*notes_of("SGD", COMPILED)] == ["SGD: compiled from update 1,204"]
    assert [*notes_of("SGD", EAGER)] == ["SGD: not compiled: no C++ compiler was found"]


def test_json_has_the_facts(tmp_path: Path) -> None:
    settings = VariantSettings(batch_size=1)
    variants = (Variant(name="a", settings=settings),)
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0.1")
    tally = Tally("a", VariantSettings(batch_size=1))
    tally.add(
        Started(
            generation=1, settings=tally.settings, n=2_000, model="", parameters=1, device="cpu",
            threads=1, epochs=9, pace=None,
        )
    )  # fmt: skip
    tally.add(plain_chunk(1, 1_203))
    tally.add(COMPILED)
    assert tally.execution is COMPILED
    tally.add(Execution(generation=2, batch=1, update=1, seconds=0.0))  # of another generation
    assert tally.execution is COMPILED
    [found] = report(run, [tally]).variants
    assert found.compiled is not None
    assert (found.compiled.from_update, found.compiled.updates_per_call) == (1_204, 16)
    assert (found.compiled.build, found.compiled.ratio, found.not_compiled) == ("k", None, None)
    tally.add(EAGER)
    [found] = report(run, [tally]).variants
    assert (found.compiled, found.not_compiled) == (None, "no C++ compiler was found")
