"""One width for "folded", wherever it is said."""

import math

import pytest

from engine.experiments.claims import linear_scaling
from engine.log.records import Evaluation, State, StateChanged
from engine.settings import LrScaling, RunSettings, Variant, VariantSettings
from engine.statistics.folding import FOLDED, distance, have_folded
from gdtui.lesson.explain import explain
from gdtui.state.store import Store
from gdtui.view.text.results_panel import conclusion


def store_of(*losses: float) -> Store:
    """Variants under linear scaling that have finished with these losses on all data."""
    settings = VariantSettings(lr_scaling=LrScaling.LINEAR)
    names = [f"variant {place}" for place in range(len(losses))]
    store = Store(
        RunSettings(variants=tuple(Variant(name=name, settings=settings) for name in names))
    )
    for name, loss in zip(names, losses, strict=True):
        store.add(
            name,
            Evaluation(
                generation=1, epoch=1, batches=1, updates=1, samples=1, seconds=1.0, full_loss=loss
            ),
        )
        store.add(name, StateChanged(generation=1, state=State.FINISHED))
    return store


def test_the_gap_is_that_of_the_lowest_and_the_highest() -> None:
    assert distance([0.3, 0.1, 0.2]) == pytest.approx(0.2)
    assert distance([0.3]) == 0.0


@pytest.mark.parametrize(
    ("losses", "folded"),
    [((0.1, 0.1 + 0.9 * FOLDED), True), ((0.1, 0.1 + 1.1 * FOLDED), False), ((0.1,), True)],
)
def test_curves_have_folded_within_that_width(losses: tuple[float, ...], folded: bool) -> None:
    assert have_folded(losses) is folded


@pytest.mark.parametrize("share", [0.5, 0.9, 1.1, 1.5, 1.9, 3.0])
def test_results_explanation_and_experiment_call_the_same_gap_folded(share: float) -> None:
    store = store_of(0.2, 0.2 + share * FOLDED)
    (why,) = [each for each in explain(store, None, is_ours=True) if each.title == "Why"]
    assert ("lowest" not in conclusion(store)) is (share <= 1)
    assert ("have folded into one" in " ".join(why.paragraphs)) is (share <= 1)
    assert ("have not folded" in " ".join(why.paragraphs)) is (share > 1)
    interval = (share * FOLDED - 1e-4, share * FOLDED + 1e-4)
    assert str(linear_scaling.verdict_of(interval, [math.inf])) == (
        "supported" if share <= 1 else "not supported"
    )
