"""The table of a run's results."""

from collections.abc import Callable

import pytest
from app_bench import evaluation

from engine.log.directory import RunDirectory
from engine.log.records import Started, State, StateChanged
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


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        (0.1, "finished"),
        (1.5, "finished"),
        (4.0, "finished, loss 5 × its start"),
        (1e8, "finished, diverging"),
    ],
)
def test_a_loss_that_ended_above_its_start_is_not_plainly_finished(
    make_run: MakeRun, end: float, shown: str
) -> None:
    tallies = []
    for name in ("Mini-batch", "SGD"):
        tally = Tally(name, VariantSettings())
        tally.add(
            Started(
                generation=1, settings=tally.settings, n=2000, model="", parameters=1,
                device="cpu", threads=1, epochs=1, pace=None,
            )
        )  # fmt: skip
        for record in (evaluation(0, loss=0.8), evaluation(1, loss=end)):
            tally.add(record)
        tally.add(StateChanged(generation=1, state=State.FINISHED))
        tallies.append(tally)
    summary = summarize(make_run(), tallies)
    assert [row[-1] for row in summary.rows] == [shown] * 2
    assert "noise σ" in summary.headings
    assert not {"std", "variance"} & {*summary.headings}
