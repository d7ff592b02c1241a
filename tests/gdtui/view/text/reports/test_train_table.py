"""The table of a run's results."""

from collections.abc import Callable

import pytest

from engine.log.directory import RunDirectory
from engine.log.summary import Tally
from engine.settings import LossAudit, LossKind, VariantSettings
from gdtui.view.text.reports.train_table import summarize

MakeRun = Callable[..., RunDirectory]


@pytest.mark.parametrize("kind", [LossKind.BATCH, LossKind.EXACT])
def test_what_is_not_the_big_batch_is_marked_and_explained(
    make_run: MakeRun, kind: LossKind
) -> None:
    run = make_run()
    audit = LossAudit(kind=kind, gap=0.47, samples=16, part=4)
    tallies = [
        Tally(name, VariantSettings(batch_size=8, accumulation_steps=steps), n=100, audit=audit)
        for name, steps in zip(("Mini-batch", "SGD"), (8, 1), strict=True)
    ]
    summary = summarize(run, tallies)
    is_marked = kind is LossKind.BATCH
    assert [row[1] for row in summary.rows] == ["8 ×8 ≠" if is_marked else "8 ×8", "8"]
    assert ("≠: not the big batch: the loss of 16 samples differs by 47%" in summary.legend) is (
        is_marked
    )
