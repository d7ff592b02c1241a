"""The readings of whole outputs, recorded from programs of each kind."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.programs.reader import Reader
from engine.programs.readings import Event, HeldOut, Question, Reading, Remark


def events(*portions: bytes) -> list[Event]:
    """All events of an output that arrives in these portions."""
    reader = Reader()
    found = [event for portion in portions for event in reader.feed(portion)]
    return [*found, *reader.finish()]


def steps(output: str) -> list[tuple[int, float]]:
    """Steps and losses of an output."""
    found = events(output.encode())
    return [(each.place.step, each.loss) for each in found if isinstance(each, Reading)]


def remarks(output: str) -> list[str]:
    """The remarks on an output, and the questions about it."""
    found = events(output.encode())
    return [each.text for each in found if isinstance(each, Remark | Question)]


def bar(label: str, step: int, total: int, rest: str = "") -> str:
    """A redraw of a tqdm bar."""
    return f"\r{label}{100 * step // total:3d}%|██  | {step}/{total} [00:01<00:01, 9.9it/s{rest}]"


def trainer(step: int, total: int, epochs: int) -> str:
    """A line of HF Trainer, written over its bar, which is then drawn again."""
    line = {"loss": 5 / step, "grad_norm": 1.5, "learning_rate": 5e-5,
            "epoch": round(epochs * step / total, 2)}  # fmt: skip
    return f"\r{' ' * 40}\r{line}\n" + bar("", step, total)


TRAINER = (
    bar("", 0, 40)
    + "".join(bar("", step - 1, 40) + trainer(step, 40, 2) for step in (10, 20))
    + bar("", 0, 7)
    + bar("", 7, 7)
    + "\r\n{'eval_loss': 0.6, 'eval_accuracy': 0.8, 'epoch': 1.0}\n"
    + "".join(bar("", step - 1, 40) + trainer(step, 40, 2) for step in (30, 40))
    + "{'train_runtime': 1.5, 'train_loss': 0.3, 'epoch': 2.0}\n"
)
KERAS = "".join(
    f"\x1b[1mEpoch {epoch}/2\x1b[0m\n"
    + "".join(
        f"\r\x1b[1m{step}/3\x1b[0m \x1b[32m━━━\x1b[0m \x1b[1m1s\x1b[0m 5ms/step "
        f"- accuracy: 0.5000 - loss: {1 / step:.4f}"
        for step in (1, 2, 3)
    )
    + "\r3/3 ━━━ 1s 5ms/step - accuracy: 0.5 - loss: 0.3 - val_accuracy: 0.6 - val_loss: 0.7\n"
    for epoch in (1, 2)
)
NANOGPT = """\
step 0: train loss 4.2, val loss 4.3
iter 0: loss 4.25, time 12.34ms, mfu -100.00%
iter 10: loss 3.5, time 12.34ms, mfu 1.20%
step 20: train loss 3.0, val loss 3.1
iter 20: loss 3.0, time 12.34ms, mfu 1.20%
"""


def test_trainer_has_its_steps_from_its_bar() -> None:
    found = events(TRAINER.encode())
    readings = [each for each in found if isinstance(each, Reading)]
    assert [each.place.step for each in readings] == [10, 20, 30, 40]
    assert [each.place.epoch for each in readings] == [1, 1, 2, 2]
    assert {each.place.epochs for each in readings} == {2}
    assert readings[0].lr == 5e-5
    assert readings[0].scalars == {"grad_norm": 1.5}
    held_out = [each for each in found if isinstance(each, HeldOut)]
    assert [(each.loss, each.metrics) for each in held_out] == [(0.6, {"eval_accuracy": 0.8})]
    assert [each.place and each.place.step for each in held_out] == [20]
    assert remarks(TRAINER) == [
        "read as: HF Trainer · loss, learning_rate, grad_norm · steps of 10"
    ]


def test_keras_counts_steps_in_each_epoch() -> None:
    found = events(KERAS.encode())
    readings = [each for each in found if isinstance(each, Reading)]
    assert [(each.place.epoch, each.place.step) for each in readings] == [
        (1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6)
    ]  # fmt: skip
    assert {(each.place.epoch_steps, each.place.epochs) for each in readings} == {(3, 2)}
    assert [each.loss for each in found if isinstance(each, HeldOut)] == [0.7]


def test_evaluations_of_nanogpt_are_not_its_losses() -> None:
    found = events(NANOGPT.encode())
    assert steps(NANOGPT) == [(1, 4.25), (11, 3.5), (21, 3.0)]
    held_out = [each for each in found if isinstance(each, HeldOut)]
    assert [each.loss for each in held_out] == [4.3, 3.1]
    assert held_out[0].place is None


def test_a_loss_that_only_evaluations_print_is_read_from_them() -> None:
    lines = "".join(f"epoch {k} train loss {5 - k} val loss {6 - k}\n" for k in range(1, 4))
    assert steps(lines) == [(1, 4.0), (2, 3.0), (3, 2.0)]


def test_nested_bars() -> None:
    output = "".join(
        bar("Epochs: ", epoch, 2)
        + "\n"
        + "".join(bar("", step, 3, f", loss={step + 3 * epoch}") for step in (1, 2, 3))
        + "\x1b[A"
        for epoch in range(2)
    )
    assert steps(output) == [(k, float(k)) for k in range(1, 7)]
    epochs = [each.place.epoch for each in events(output.encode()) if isinstance(each, Reading)]
    assert epochs == [1, 1, 1, 2, 2, 2]


def test_a_bar_over_held_out_data_is_not_training() -> None:
    train = "".join(bar("train ", k, 2, f", loss={k}") for k in (1, 2))
    assert steps(train + bar("Validating ", 1, 2, ", loss=9") + "\n") == [(1, 1.0), (2, 2.0)]


def test_steps_that_go_back_are_another_training_and_that_is_said() -> None:
    output = "".join(f"step {k} loss {k}\n" for k in (10, 20, 30, 10, 20))
    found = [each for each in events(output.encode()) if isinstance(each, Reading)]
    assert [(each.place.generation, each.place.step) for each in found] == [
        (1, 10), (1, 20), (1, 30), (2, 10), (2, 20)
    ]  # fmt: skip
    assert any("went back to 10 after step 30" in each for each in remarks(output))


def test_lines_without_steps_are_counted() -> None:
    assert steps("loss: 3\nloss: 2\nloss: nan\n")[:2] == [(1, 3.0), (2, 2.0)]
    assert math.isnan(steps("loss: 3\nloss: 2\nloss: nan\n")[2][1])
    assert remarks("loss: 3\nloss: 2\n") == [
        "read as: key: value · loss · no steps printed, so readings are counted"
    ]


def test_another_source_takes_over_once_the_first_is_silent_and_that_is_said() -> None:
    first = "".join(f"step {k} loss {k}\n" for k in range(1, 4))
    second = "".join(bar("fine-tuning ", k, 40, f", loss={k}") for k in range(1, 40))
    found = [each for each in events((first + second).encode()) if isinstance(each, Reading)]
    assert {each.place.generation for each in found} == {1, 2}
    assert any(
        "the loss is now read from loss (tqdm bar)" in each for each in remarks(first + second)
    )


def test_ranks_that_print_the_same_step_are_one_reading() -> None:
    assert steps("step 1 loss 3\nstep 1 loss 4\nstep 2 loss 2\nstep 2 loss 1\n") == [
        (1, 3.0), (2, 2.0)
    ]  # fmt: skip


_LINES = st.lists(
    st.sampled_from([TRAINER[:300], TRAINER[300:], KERAS, NANOGPT, "noise\n", "\r", "loss: "]),
    max_size=4,
).map(lambda parts: "".join(parts).encode())


@settings(max_examples=40)
@given(_LINES, st.data())
def test_the_same_bytes_are_the_same_readings_however_they_are_divided(
    data: bytes, draw: st.DataObject
) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    portions = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert events(*portions) == events(data)


@given(
    st.binary(max_size=400)
    | st.text("loss :=0123456789.e-[]/%|it\r\n,<", max_size=200).map(str.encode)
)
def test_no_output_is_too_strange(data: bytes) -> None:
    generation = step = 0
    for event in events(data):
        if isinstance(event, Reading):
            assert (event.place.generation, event.place.step) > (generation, step)
            generation, step = event.place.generation, event.place.step
