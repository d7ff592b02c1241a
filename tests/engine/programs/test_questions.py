"""Questions about a loss that changes its meaning in mid-run, and readings by their answers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import AnyRecord, Chunk, Remarked, Started, Validated
from engine.programs import PROGRAM
from engine.programs.journal import UNKNOWN_SETTINGS
from engine.programs.questions import AnswerError, Questions
from engine.programs.readings import Answered, Choice
from engine.programs.recording import ProgramRecording
from engine.programs.steps.places import StepPlaces
from engine.programs.text.printed import Form, Printed
from engine.settings import RunSettings, Variant


def lines(form: str, steps: Iterable[int]) -> bytes:
    """A line of this form for each step: {k} is the step, {loss} its loss, {percent} in percent."""
    return "".join(
        form.format(k=k, loss=1 / k, percent=100 / k, bits=1 / k / np.log(2)) + "\n" for k in steps
    ).encode()


STEPS = lines("step {k} loss {loss:.6f}", range(1, 11))
CHANGES = {
    "name": (
        lines("step {k} train_loss {loss:.6f}", range(11, 31)) + b"val_loss 9\n"
        + lines("step {k} train_loss {loss:.6f}", range(31, 41)), 40,
    ),
    "form": (lines("{k}%|# | {k}/100 [00:01<00:01, 9it/s, loss={loss:.6f}]", range(11, 41)), 40),
    "percent": (lines("step {k} loss {percent:.4f}%", range(11, 41)), 40),
    "epoch mean": (lines("epoch {k} loss {loss:.6f}", range(11, 41)), 40),
    "count from 0": (
        lines("{k}%|# | {k}/100 [00:01<00:01, 9it/s, loss={loss:.6f}]", range(10, 40)), 40,
    ),
    "step": (lines("step {k} loss {loss:.6f}", range(1, 31)), 40),
}  # fmt: skip


class Program:
    """The recording of a program that prints this, a second after another."""

    def __init__(self, path: Path, *portions: bytes, on_change: Choice | None = None) -> None:
        variant = Variant(name="train", settings=UNKNOWN_SETTINGS)
        settings = RunSettings(variants=(variant,), problem="p", epochs=1, device=PROGRAM)
        self.run = RunDirectory.create(path, settings, "0")
        now = iter(range(1000))
        self.recording = ProgramRecording(
            self.run, on_change=on_change, clock=lambda: float(next(now))
        )
        for portion in portions:
            self.recording.take(1, portion)

    def end(self) -> list[AnyRecord]:
        """The records, once the program has ended."""
        self.recording.end(0, is_asked=False)
        follower = Follower(self.run)
        records = [record for _, record in follower.read()]
        assert not follower.damage
        return records


def curve(records: Sequence[AnyRecord]) -> tuple[list[int], list[float]]:
    """The updates and losses of the last generation, with those that it goes on from."""
    found: dict[int, list[tuple[int, int, float]]] = {}
    last = 0
    for record in records:
        if isinstance(record, Started):
            last = record.generation
            origin = record.origin
            before = found.get(origin.generation, []) if origin else []
            found[last] = [each for each in before if origin and each[0] <= origin.batches]
        elif isinstance(record, Chunk):
            losses = np.frombuffer(record.losses, "<f4")
            for k, loss in enumerate(losses):
                found[last].append((record.batch + k, record.update + k, float(loss)))
    return [update for _, update, _ in found[last]], [loss for *_, loss in found[last]]


def remarks(records: Sequence[AnyRecord]) -> list[Remarked]:
    """The questions and answers in the log."""
    return [record for record in records if isinstance(record, Remarked) and record.question]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_early", [True, False], ids=["at once", "later"])
def test_the_same_training_has_one_curve(tmp_path: Path, change: str, is_early: bool) -> None:
    after, count = CHANGES[change]
    place = after.index(b"\n", 2 * len(after) // 3) + 1 if is_early else len(after)
    program = Program(tmp_path / "run", STEPS, after[:place])
    program.recording.answer(0, "same")
    program.recording.take(1, after[place:])
    updates, losses = curve(records := program.end())
    assert updates == list(range(1, count + 1))
    expected = [1 / k for k in range(1, 11)]
    start = {"step": 1, "count from 0": 10}.get(change, 11)
    expected += [1 / k for k in range(start, start + 30)]
    assert losses == pytest.approx(expected, abs=1e-5)
    question, answer = remarks(records)
    assert question.choices[:2] == ("another", "same")
    assert (answer.question, answer.answer) == (question.question, "same")
    if change == "name":
        held_out = [record for record in records if isinstance(record, Validated)]
        assert held_out[-1].updates == held_out[-1].batches == 30


@pytest.mark.parametrize("change", CHANGES)
def test_without_an_answer_it_is_another_training(tmp_path: Path, change: str) -> None:
    after, _ = CHANGES[change]
    records = Program(tmp_path / "run", STEPS, after).end()
    starts = [record for record in records if isinstance(record, Started)]
    assert [(each.generation, each.origin) for each in starts] == [(1, None), (2, None)]
    assert sum(record.batches for record in records if isinstance(record, Chunk)) == 40
    _, answer = remarks(records)
    assert answer.answer == "another"
    assert "not answered" in answer.text


@pytest.mark.parametrize("change", [each for each in CHANGES if each != "step"])
def test_what_is_ignored_leaves_the_curve_as_it_was(tmp_path: Path, change: str) -> None:
    after, _ = CHANGES[change]
    program = Program(tmp_path / "run", STEPS, after)
    program.recording.answer(1, "ignore")
    program.recording.take(1, after + lines("step {k} loss {loss:.6f}", range(11, 13)))
    updates, losses = curve(program.end())
    assert updates == list(range(1, 13))
    assert losses == pytest.approx([1 / k for k in range(1, 13)], abs=1e-5)


@pytest.mark.parametrize("choice", Choice)
@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_given_beforehand_asks_nothing(
    tmp_path: Path, change: str, choice: Choice
) -> None:
    after, _ = CHANGES[change]
    program = Program(tmp_path / "run", STEPS, after, on_change=choice)
    updates, _ = curve(records := program.end())
    count = {Choice.SAME: 40, Choice.ANOTHER: 30, Choice.IGNORE: 10}[choice]
    if change == "step" and choice is Choice.IGNORE:
        count = 30  # there is nowhere else to read the loss
    assert len(updates) == count
    assert remarks(records) == []
    assert sum("(--on-change)" in each for each in program.recording.remarks) == 1


def test_a_program_that_counts_each_epoch_is_asked_about_once(tmp_path: Path) -> None:
    program = Program(tmp_path / "run", *[STEPS] * 2)
    program.recording.answer(1, "same")
    for _ in range(3):
        program.recording.take(1, STEPS)
    updates, _ = curve(records := program.end())
    assert updates == list(range(1, 51))
    assert len(remarks(records)) == 2


def test_an_epochs_mean_is_no_step(tmp_path: Path) -> None:
    output = (STEPS + b"epoch 1 loss 0.3\n") * 3
    program = Program(tmp_path / "run", output)
    updates, losses = curve(records := program.end())
    assert updates == list(range(1, 31))
    assert losses == pytest.approx([1 / k for k in range(1, 11)] * 3, abs=1e-5)
    assert remarks(records) == []


def test_a_later_question_takes_the_place_of_an_open_one(tmp_path: Path) -> None:
    program = Program(tmp_path / "run", *[STEPS] * 3)
    with pytest.raises(AnswerError, match="no open question"):
        program.recording.answer(1, "same")
    with pytest.raises(AnswerError, match="one of: another, same"):
        program.recording.answer(2, "ignore")
    program.recording.answer(2, "same")
    updates, _ = curve(records := program.end())
    assert updates == list(range(1, 21))  # the second training and the third
    answers = [record.answer for record in remarks(records) if record.answer]
    assert answers == ["another", "same"]


def test_a_question_is_closed_before_it_costs_much_memory() -> None:
    questions = Questions(None, most_kept=5)
    places = StepPlaces()
    list(questions.ask("it changed", places.add(Printed(Form.PAIRS, step=1)), places))
    events = [event for k in range(7) for event in questions.keep(Printed(Form.PAIRS, step=k))]
    assert events == [
        Answered(
            1, "not answered (5 losses without an answer): it is another training", Choice.ANOTHER
        )
    ]
    assert questions.open is None


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [("acc 0.5", "acc 50%", "acc (%)"), ("time=12.5ms", "time=0.1s", "time (s)")],
)
def test_a_scalar_in_another_unit_is_another_scalar(
    tmp_path: Path, before: str, after: str, name: str
) -> None:
    output = [f"step {k} loss 1 {before if k < 5 else after}\n".encode() for k in range(1, 9)]
    program = Program(tmp_path / "run", b"".join(output))
    program.end()
    assert sum(f"recorded as {name}" in each for each in program.recording.remarks) == 1
