"""The lesson from first step to last on facts alone: it refuses before each deed, then goes on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lesson_facts import N, each, facts, under
from msgspec.structs import replace as changed

from engine.experiments.report import Arm, Report, Verdict
from engine.log.records import State
from engine.settings import FULL, LrScaling
from engine.sweep.table import Recommendation, Sweep
from gdtui.lesson.course.coach import Coach
from gdtui.lesson.course.content import load
from gdtui.lesson.course.facts import LessonFacts, VariantFacts

Make = Callable[[LessonFacts], LessonFacts]


def chose(number: int) -> Make:
    return lambda now: replace(now, choices=now.choices + 1, choice=number)


def opened(page: str) -> Make:
    return lambda now: replace(now, opened=(*now.opened, page))


def with_variant(place: int, change: Callable[[VariantFacts], VariantFacts]) -> Make:
    def make(now: LessonFacts) -> LessonFacts:
        variants = [*now.variants]
        variants[place] = change(variants[place])
        return replace(now, variants=tuple(variants))

    return make


def restarted(**settings: Any) -> Make:
    """Mini-batch with these settings, five epochs after a restart."""
    ends = tuple((N * k, 0.8 / (1 + k)) for k in range(6))

    def change(one: VariantFacts) -> VariantFacts:
        new = changed(one.settings, **settings)
        return replace(
            one, settings=new, generation=one.generation + 1, losses=ends, ghost=ends,
            changed_at=None,
        )  # fmt: skip

    return with_variant(1, change)


def reported(name: str) -> Make:
    arms = tuple(
        Arm(name=arm, batch_size=None, escaped=0, interval=(0, 1), per_seed=())
        for arm in (FULL, "64", "1")
    )
    report = Report(
        experiment=name, claim="", verdict=Verdict.SUPPORTED, rule="", meaning="", measured="",
        seeds=20, varied="", held=(), arms=arms, source="", device="cpu",
    )  # fmt: skip
    return lambda now: replace(now, results={**now.results, name: report})


def swept(now: LessonFacts) -> LessonFacts:
    choice = Recommendation(batch_size=64, lr=0.01, accumulation_steps=1, reason="")
    table = Sweep(
        problem="", device="", seed=0, epochs=5, seconds=1.0, target_loss=None, noise_scale=None,
        memory_limit_mb=None, rows=(), recommendation=choice,
    )  # fmt: skip
    return replace(now, results={**now.results, "sweep": table})


def raised_lr(one: VariantFacts) -> VariantFacts:
    losses = tuple((N * (20 + k), 0.3 / (1 + k)) for k in range(5))
    return replace(
        one, lr=15.6, changed_at=20 * N, losses=losses, sharpness=0.05, sharpness_at=24 * N
    )


DEEDS: dict[tuple[str, int], Make] = {
    ("look", 0): chose(3),
    ("look", 1): lambda now: each(now, state=State.FINISHED),
    ("fold", 0): lambda now: each(under(now, LrScaling.LINEAR), full_loss=0.33),
    ("fold", 1): opened("tables"),
    ("cloud", 0): with_variant(2, lambda one: replace(one, batch=64, sigma=one.sigma / 8)),
    ("edge", 0): with_variant(0, lambda one: replace(one, sharpness=300.0, growth=5.0)),
    ("edge", 1): with_variant(0, raised_lr),
    ("accumulate", 0): restarted(batch_size=32, accumulation_steps=2),
    ("momentum", 0): restarted(momentum=0.9),
    ("momentum", 1): restarted(drop_last=True),
    ("noise", 0): reported("saddle"),
    ("noise", 1): reported("sharp-minimum"),
    ("generalise", 0): chose(3),
    ("trade-offs", 0): swept,
    ("choose", 0): opened("explain"),
    ("test", 0): chose(2),
    ("test", 1): chose(3),
    ("test", 2): chose(1),
}


def test_each_part_refuses_to_go_on_before_its_deed() -> None:
    coach, now = Coach(load()), each(facts(), state=State.RUNNING)
    walked = []
    while not coach.is_last:
        here = coach.step.name, coach.part_at
        walked.append(here)
        coach = coach.heard(now)
        assert coach.is_waiting, here
        assert coach.gone_on() is coach, here
        now = DEEDS[here](now)
        coach = coach.heard(now)
        texts = []
        while not coach.is_waiting and not coach.is_last:
            assert (coach.step.name, coach.part_at) == here
            texts.append(coach.text(now).text)
            coach = coach.gone_on()
        assert len(texts) == len({*texts}), "a page for each G"
    assert walked == [*DEEDS]
    assert walked == [(s.name, k) for s in load().steps for k in range(len(s.parts))]


@pytest.mark.parametrize("place", range(1, len(load().steps) + 1))
def test_any_step_can_be_the_first(place: int) -> None:
    course = load()
    coach = Coach(course, step_at=course.find(str(place))).heard(each(facts(), state=State.RUNNING))
    assert coach.is_waiting
    assert coach.text(facts()).heading == f"{place}/{len(course.steps)} {coach.step.name}"
