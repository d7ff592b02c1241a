"""Each deed is done when it is done, and its texts are borne out only by what was measured."""

import math
from dataclasses import replace
from typing import Any

import pytest
from lesson_facts import N, each, facts, variant
from msgspec.structs import replace as changed

from engine.experiments.report import Arm, Report, Verdict
from engine.log.records import State
from engine.settings import FULL, VariantSettings
from engine.sweep.table import Recommendation, Sweep
from gdtui.lesson.course.content import load
from gdtui.lesson.course.deeds import AnyDeed
from gdtui.lesson.course.facts import LessonFacts, VariantFacts
from gdtui.lesson.course.figures import FIGURES, FigureTexts, Moment

QUADRATIC = replace(variant(0), sharpness=15.0)


def deed(step: str, part: int = 0) -> AnyDeed:
    course = load()
    return course.steps[course.find(step)].parts[part].deed


def texts(now: LessonFacts, begun: LessonFacts) -> FigureTexts:
    return FigureTexts(Moment(now, begun))


def with_third(**different: Any) -> LessonFacts:
    """The lesson's run with another SGD."""
    return facts(variant(0), variant(1), replace(variant(2), **different))


def with_second(**different: Any) -> LessonFacts:
    return facts(variant(0), replace(variant(1), **different), variant(2))


# --- The batch, the noise -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "is_mixed", "is_done"),
    [(64, False, True), (128, False, True), (32, False, False), (64, True, False)],
)
def test_the_batch_grows_six_times_and_an_epoch_follows(
    batch: int, is_mixed: bool, is_done: bool
) -> None:
    now = with_third(batch=batch, sigma=0.04, is_sigma_mixed=is_mixed)
    assert deed("cloud").is_done(now, facts()) is is_done


def test_the_noise_is_held_against_the_law() -> None:
    begun = facts()
    as_it_says = with_third(batch=64, sigma=begun.variants[2].sigma / 8.5)
    assert deed("cloud").bears_out(as_it_says, begun)
    assert not deed("cloud").bears_out(with_third(batch=64, sigma=0.3 / 20), begun)
    assert not deed("cloud").bears_out(with_third(batch=64, sigma=0.3), begun)
    said = texts(as_it_says, begun)
    names = ("raised", "batch_before", "batch_after", "sigma_before", "noise_ratio", "law")
    assert [said[name] for name in names] == ["SGD", "1", "64", "0.300", "8.5", "8.0"]


# --- The edge of stability ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lr", "growth", "is_done"), [(0.1, 1.5, False), (0.2, 0.5, False), (0.2, 1.5, True)]
)
def test_the_quadratic_breaks_beyond_its_edge(lr: float, growth: float, is_done: bool) -> None:
    now = facts(replace(QUADRATIC, lr=lr, growth=growth))
    assert deed("edge").is_done(now, now) is is_done


def test_a_diverged_loss_is_broken_and_an_unmeasured_curvature_is_not_judged() -> None:
    diverged = replace(QUADRATIC, lr=0.2, growth=math.nan, is_running_away=True)
    assert deed("edge").is_done(facts(diverged), facts(diverged))
    unmeasured = replace(diverged, sharpness=math.nan)
    assert not deed("edge").is_done(facts(unmeasured), facts(unmeasured))


def raised_lr(
    losses: tuple[float, ...], lr: float = 15.6, measured_at: int = 30 * N
) -> VariantFacts:
    """The full batch, its lr raised after 20 epochs."""
    ends = tuple((N * (20 + k), loss) for k, loss in enumerate(losses))
    return replace(
        variant(0), lr=lr, losses=ends, changed_at=20 * N, sharpness=0.01, sharpness_at=measured_at
    )


@pytest.mark.parametrize(
    ("one", "is_done"),
    [
        (raised_lr((0.33, 0.2, 0.1, 0.05)), True),
        (raised_lr((0.33, 0.2, 0.1)), False),
        (raised_lr((0.33, 0.2, 0.1, 0.05), lr=1.0), False),
        (raised_lr((0.33, 0.2, 0.1, 0.05), measured_at=20 * N), False),
    ],
)
def test_the_lr_of_the_full_batch_is_raised_trained_with_and_measured(
    one: VariantFacts, is_done: bool
) -> None:
    assert deed("edge", 1).is_done(facts(one, variant(1), variant(2)), facts()) is is_done


def test_flattening_is_claimed_only_of_a_loss_that_falls_in_each_epoch() -> None:
    for losses, is_borne_out in (((0.33, 0.2, 0.1, 0.05), True), ((0.33, 0.2, 0.4, 0.05), False)):
        now = facts(raised_lr(losses), variant(1), variant(2))
        assert deed("edge", 1).bears_out(now, facts()) is is_borne_out


# --- Restarts -------------------------------------------------------------------------------------

OLD = tuple((N * k, 0.8 / (1 + k)) for k in range(6))


def again(generation: int = 2, ends: Any = OLD, **settings: Any) -> LessonFacts:
    """Mini-batch restarted with other settings, and trained five epochs."""
    new = changed(VariantSettings(), **settings)
    now = new.resolve(N)
    return with_second(
        settings=new, generation=generation, losses=ends, ghost=OLD, batch=now.batch_size,
        effective_batch=now.effective_batch,
    )  # fmt: skip


HALF = {"batch_size": 32, "accumulation_steps": 2}


def test_accumulation_is_compared_with_the_curve_before() -> None:
    now = again(**HALF)
    assert deed("accumulate").is_done(now, facts())
    assert deed("accumulate").bears_out(now, facts())
    assert not deed("accumulate").is_done(again(generation=1, **HALF), facts())
    assert not deed("accumulate").is_done(again(), facts())
    assert not deed("accumulate").is_done(again(ends=OLD[:2], **HALF), facts())
    assert not deed("accumulate").is_done(
        replace(now, variants=tuple(replace(one, changed_at=5) for one in now.variants)), facts()
    )
    said = texts(now, facts())
    assert [said[name] for name in ("again", "again_batch", "again_effective")] == [
        "Mini-batch", "32 × 2", "64",
    ]  # fmt: skip


def test_another_curve_is_not_called_the_same() -> None:
    ends = tuple((at, loss + 0.01) for at, loss in OLD)
    now = again(ends=ends, **HALF)
    assert not deed("accumulate").bears_out(now, facts())
    assert texts(now, facts())["ghost_distance"] == "0.010"


@pytest.mark.parametrize(("factor", "is_gain"), [(0.5, True), (2.0, False)])
def test_momentum_is_compared_after_the_same_epochs(factor: float, is_gain: bool) -> None:
    now = again(ends=tuple((at, loss * factor) for at, loss in OLD), momentum=0.9)
    assert deed("momentum").is_done(now, facts())
    assert deed("momentum").bears_out(now, facts()) is is_gain
    assert not deed("momentum").is_done(again(), facts())


def test_dropping_the_last_batch_names_the_samples_left_over() -> None:
    now = again(drop_last=True)
    assert deed("momentum", 1).is_done(now, facts())
    assert not deed("momentum", 1).is_done(facts(), facts())
    assert texts(now, facts())["left_over"] == "16"


# --- Experiments, the sweep, pages, answers -------------------------------------------------------


def report(verdict: Verdict) -> Report:
    arms = tuple(
        Arm(name=name, batch_size=None, escaped=count, interval=(0, 1), per_seed=())
        for name, count in ((FULL, 0), ("64", 19), ("1", 20))
    )
    return Report(
        experiment="saddle", claim="", verdict=verdict, rule="", meaning="", measured="", seeds=20,
        varied="", held=(), arms=arms, source="", device="cpu",
    )  # fmt: skip


def test_an_experiment_is_done_with_its_report_and_borne_out_by_its_verdict() -> None:
    now = replace(facts(), results={"saddle": report(Verdict.SUPPORTED)})
    assert not deed("noise").is_done(facts(), facts())
    assert deed("noise").is_done(now, facts())
    assert deed("noise").bears_out(now, facts())
    assert not deed("noise", 1).is_done(now, facts())
    said = texts(now, facts())
    names = ("saddle", "saddle_1", "saddle_64", "saddle_full", "sharp")
    assert [said[name] for name in names] == [
        "supported", "20 of 20", "19 of 20", "0 of 20", "–",
    ]  # fmt: skip
    against = replace(facts(), results={"saddle": report(Verdict.NOT_SUPPORTED)})
    assert not deed("noise").bears_out(against, facts())


def test_the_sweep_is_done_with_a_recommendation() -> None:
    choice = Recommendation(batch_size=128, lr=0.02, accumulation_steps=1, reason="")
    table = Sweep(
        problem="", device="", seed=0, epochs=5, seconds=5.84, target_loss=None, noise_scale=None,
        memory_limit_mb=None, rows=(), recommendation=choice,
    )  # fmt: skip
    now = replace(facts(), results={"sweep": table})
    assert deed("trade-offs").is_done(now, facts())
    half = replace(facts(), results={"sweep": changed(table, recommendation=None)})
    assert not deed("trade-offs").is_done(half, facts())
    said = texts(now, facts())
    names = ("best_batch", "best_lr", "predicted_batch", "equal_seconds", "speed_1")
    assert [said[name] for name in names] == ["128", "0.02", "–", "5.84", "–"]


def test_a_page_counts_once_it_is_opened_after_it_was_asked_for() -> None:
    begun = replace(facts(), opened=("explain",))
    assert not deed("choose").is_done(begun, begun)
    assert not deed("choose").is_done(replace(begun, opened=("explain", "tables")), begun)
    assert deed("choose").is_done(replace(begun, opened=("explain", "explain")), begun)


@pytest.mark.parametrize(("choice", "is_right"), [(1, False), (2, True), (3, False)])
def test_a_question_waits_for_the_right_answer(choice: int, is_right: bool) -> None:
    assert deed("test").is_done(replace(facts(), choices=1, choice=choice), facts()) is is_right


# --- Figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_has_a_text_when_nothing_is_known_yet(name: str) -> None:
    unknown = each(
        facts(), state=State.STARTING, n=0, batch=0, effective_batch=0, lr=math.nan,
        full_loss=math.nan, full_loss_epoch=None, sigma=math.nan, growth=math.nan, losses=(),
    )  # fmt: skip
    assert texts(unknown, unknown)[name]
