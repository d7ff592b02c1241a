"""The coach waits for each deed, refuses to go on before it, and tells what was measured."""

from dataclasses import replace

import pytest
from lesson_facts import each, facts, under

from engine.log.records import State
from engine.settings import LrScaling
from gdtui.lesson.course.coach import Coach
from gdtui.lesson.course.content import load
from gdtui.lesson.course.facts import LessonFacts


def coach_at(step: str) -> Coach:
    course = load()
    return Coach(course, step_at=course.find(step))


def folded(distance: float = 0.004) -> LessonFacts:
    """All three at their end under linear scaling."""
    now = under(facts(), LrScaling.LINEAR)
    losses = (0.33, 0.33, 0.33 + distance)
    pairs = zip(now.variants, losses, strict=True)
    return replace(now, variants=tuple(replace(one, full_loss=loss) for one, loss in pairs))


def test_the_bet_is_waited_for_and_remembered() -> None:
    running = each(facts(), state=State.RUNNING)
    waiting = coach_at("look").heard(running)
    assert waiting.is_waiting
    assert waiting.gone_on() is waiting
    betted = waiting.heard(replace(running, choices=1, choice=3))
    assert (betted.part_at, betted.bet) == (1, "SGD")
    assert "SGD" in betted.text(running).text


def test_a_choice_of_all_is_no_bet() -> None:
    running = each(facts(), state=State.RUNNING)
    assert coach_at("look").heard(running).heard(replace(running, choices=1)).part_at == 0


def test_a_choice_made_before_the_part_began_is_no_bet() -> None:
    before = replace(each(facts(), state=State.RUNNING), choices=4, choice=2)
    assert coach_at("look").heard(before).heard(before).part_at == 0


def test_the_end_reveals_the_losses_measured() -> None:
    running = replace(each(facts(), state=State.RUNNING), choices=1, choice=1)
    coach = replace(coach_at("look"), part_at=1, bet="Batch GD").heard(running)
    assert coach.is_waiting
    told = coach.heard(facts()).text(facts())
    assert told.is_done
    assert "SGD is lowest" in told.text
    assert "0.624 / 0.330 / 0.0780" in told.text


def test_figures_stay_those_of_the_moment_the_deed_was_done() -> None:
    coach = replace(coach_at("look"), part_at=1).heard(facts())
    assert "0.624" in coach.text(each(facts(), full_loss=9.0)).text


@pytest.mark.parametrize("rule", [LrScaling.NONE, LrScaling.SQRT])
def test_the_fold_needs_the_linear_rule(rule: LrScaling) -> None:
    assert coach_at("fold").heard(under(facts(), rule)).is_waiting


def test_the_fold_needs_the_end_and_a_fair_start() -> None:
    coach = coach_at("fold").heard(facts())
    assert coach.heard(each(folded(), state=State.RUNNING)).is_waiting
    assert coach.heard(each(folded(), changed_at=4000)).is_waiting
    assert not coach.heard(folded()).is_waiting


def test_the_fold_tells_the_gap_before_and_after() -> None:
    said = coach_at("fold").heard(facts()).heard(folded()).text(folded()).text
    assert "0.546" in said
    assert "0.00400" in said


def test_curves_that_do_not_fold_are_not_called_folded() -> None:
    coach = coach_at("fold").heard(facts()).heard(folded(distance=0.3))
    assert "have not folded" in coach.text(facts()).text


def test_pages_follow_one_another_and_then_the_next_step() -> None:
    coach = replace(coach_at("look"), part_at=1).heard(facts())
    texts = []
    while coach.step.name == "look":
        texts.append(coach.text(facts()).text)
        coach = coach.gone_on()
    assert len({*texts}) == len(texts) == len(load().steps[0].parts[1].said)
    assert (coach.step_at, coach.part_at, coach.is_waiting) == (1, 0, True)


def test_a_wrong_answer_is_one_only_while_the_question_waits() -> None:
    asked = coach_at("test").heard(facts())
    assert asked.finds_wrong(1)
    assert not asked.finds_wrong(2)
    wrong = asked.heard(replace(facts(), choices=1, choice=1))
    assert wrong.is_waiting
    right = wrong.heard(replace(facts(), choices=2, choice=2))
    assert not right.is_waiting
    assert not right.finds_wrong(1)


def test_an_answer_given_while_reading_is_none_to_the_next_question() -> None:
    told = coach_at("test").heard(facts()).heard(replace(facts(), choices=1, choice=2))
    later = replace(facts(), choices=2, choice=3)
    following = told.gone_on().heard(later)
    assert following.part_at == 1
    assert following.is_waiting
    assert not following.heard(replace(facts(), choices=3, choice=3)).is_waiting


def test_the_last_page_stays() -> None:
    course = load()
    last = course.steps[-1]
    end = Coach(course, len(course.steps) - 1, len(last.parts) - 1, page=0, begun=facts())
    for _ in range(len(last.parts[-1].said) + len(last.parts[-1].otherwise) + 2):
        end = end.gone_on()
    assert not end.is_waiting
    assert end.gone_on() is end


def test_another_run_is_judged_from_its_own_beginning() -> None:
    waiting = coach_at("fold").heard(facts())
    assert waiting.from_its_beginning().begun is None
    told = waiting.heard(folded())
    assert told.from_its_beginning() is told
