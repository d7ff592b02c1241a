"""The numbers in single printed texts."""

import math

import pytest

from engine.programs.text.bars import parse_bars
from engine.programs.text.names import Meaning, meaning
from engine.programs.text.pairs import parse_line
from engine.programs.text.pattern import PatternError, compile_pattern, parse_pattern
from engine.programs.text.printed import Form, Printed

BARS = {
    " 50%|█████     | 50/100 [00:01<00:01, 49.9it/s, loss=0.5, lr=1e-3]": Printed(
        Form.TQDM, {"loss": 0.5, "lr": 1e-3}, 50, 100
    ),
    "loss 0.51:   0%|          | 1/1.50k [00:01<?, ?it/s]": Printed(
        Form.TQDM, {"loss": 0.51}, 1, 1500, label="loss :"
    ),
    "50it [00:01, 49.9it/s, loss=inf]": Printed(Form.TQDM, {"loss": math.inf}, 50),
    "Epoch 3:  50%|##5  | 5/10 [00:01<00:01, 49.9it/s, v_num=0, train_loss_step=.7]": Printed(
        Form.LIGHTNING, {"train_loss_step": 0.7}, 5, 10, 3.0, label="Epoch :"
    ),
    "Epoch 0/4 ━━━━━━━━ 50/100 0:00:01 • 0:00:02 80.00it/s v_num: 0.000 train_loss: 0.693": Printed(
        Form.LIGHTNING, {"train_loss": 0.693}, 50, 100, 0.0, 4, "Epoch /"
    ),
    "12/100 ━━━━━━━━━━━━ 1s 5ms/step - accuracy: 0.5000 - loss: 0.6900": Printed(
        Form.KERAS, {"accuracy": 0.5, "loss": 0.69}, 12, 100
    ),
    "12/100 [==>.......] - ETA: 0s - loss: 0.6900 - accuracy: 0.5": Printed(
        Form.KERAS, {"loss": 0.69, "accuracy": 0.5}, 12, 100
    ),
    "100%|██████████| 10/10 [00:00<00:00, 99.0it/s, acc=1, loss=0.12": Printed(
        Form.TQDM, {"acc": 1.0}, 10, 10
    ),
}
LINES = {
    "{'loss': 0.69, 'grad_norm': 1.2, 'learning_rate': 5e-05, 'epoch': 0.1}": Printed(
        Form.TRAINER, {"loss": 0.69, "grad_norm": 1.2, "learning_rate": 5e-5}, epoch=0.1
    ),
    "{'loss': '0.69', 'learning_rate': '5e-05', 'epoch': '0.1'}": Printed(
        Form.TRAINER, {"loss": 0.69, "learning_rate": 5e-5}, epoch=0.1
    ),
    "iter 10: loss 3.2456, time 12.34ms, mfu 1.2%": Printed(
        Form.NANOGPT, {"loss": 3.2456, "mfu": 1.2}, 10
    ),
    "step 250: train loss 2.1, val loss 2.2": Printed(
        Form.NANOGPT, {"train_loss": 2.1, "val_loss": 2.2}, 250
    ),
    "Epoch 1/5": Printed(Form.PAIRS, epoch=1.0, epochs=5),
    "Epoch [1/5], Step [100/600], Loss: 0.5": Printed(Form.PAIRS, {"Loss": 0.5}, 100, 600, 1.0, 5),
    "Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.300000": Printed(
        Form.PAIRS, {"Loss": 2.3}, 640, 60000, 1.0
    ),
    "Epoch: [0][  10/5005]\tTime  0.3 ( 0.5)\tLoss 6.9e+00 (7.0e+00)": Printed(
        Form.PAIRS, {"Loss": 6.9}, 10, 5005, 0.0
    ),
    "[1,  2000] loss: 2.173": Printed(Form.PAIRS, {"loss": 2.173}, 2000, epoch=1.0),
    "step 1,000 | loss -2.5 | lr 1e-3 | norm 0.5": Printed(
        Form.PAIRS, {"loss": -2.5, "lr": 1e-3, "norm": 0.5}, 1000
    ),
    "step=10 loss=tensor(0.5, grad_fn=<X>) acc: 85.2%": Printed(
        Form.PAIRS, {"loss": 0.5, "acc": 85.2}, 10
    ),
    "[2024-01-01 12:30:45,123] INFO step: 10 train/loss: 1,234.5": Printed(
        Form.PAIRS, {"train/loss": 1234.5}, 10
    ),
    '{"step": 10, "loss": 0.5, "lr": 1e-05}': Printed(Form.PAIRS, {"loss": 0.5, "lr": 1e-5}, 10),
}
NOTHING = [
    "{'train_runtime': 12.3, 'train_samples_per_second': 10.0, 'train_loss': 0.5, 'epoch': 3.0}",
    "host: 10.0.0.1 loss is good",
    "using loss: cross_entropy",
    "2024-01-01 10:00 starting",
    "",
]


@pytest.mark.parametrize(("text", "expected"), BARS.items())
def test_bars(text: str, expected: Printed) -> None:
    assert [*parse_bars(text)] == [expected]


def test_several_bars_in_a_line() -> None:
    both = "a: 10%|█   | 1/10 [00:00<00:00, 9.9it/s, loss=1] b: 50%|██  | 5/10 [00:00<?, ?it/s]"
    assert [(bar.label, bar.step) for bar in parse_bars(both)] == [("a:", 1), ("b:", 5)]


@pytest.mark.parametrize(("text", "expected"), LINES.items())
def test_lines(text: str, expected: Printed) -> None:
    assert [*parse_bars(text)] == []
    assert parse_line(text) == expected


@pytest.mark.parametrize("text", NOTHING)
def test_other_lines(text: str) -> None:
    found = parse_line(text)
    assert found is None
    assert [*parse_bars(text)] == []


def test_nan() -> None:
    found = parse_line("loss: nan")
    assert found is not None
    assert math.isnan(found.values["loss"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", Meaning.LOSS),
        ("Loss", Meaning.LOSS),
        ("train/loss_step", Meaning.TRAINING_LOSS),
        ("avg loss", Meaning.AVERAGED_LOSS),
        ("loss_cls", Meaning.PART_OF_LOSS),
        ("train_loss_epoch", Meaning.EPOCH_LOSS),
        ("val_loss", Meaning.HELD_OUT_LOSS),
        ("best_val_loss", Meaning.SCALAR),
        ("loss_scale", Meaning.SCALAR),
        ("Learning Rate", Meaning.RATE),
        ("global_step", Meaning.STEP),
        ("Train Epoch", Meaning.EPOCH),
        ("accuracy", Meaning.SCALAR),
    ],
)
def test_meanings_of_names(name: str, expected: Meaning) -> None:
    assert meaning(name) is expected


def test_a_pattern_names_the_numbers() -> None:
    pattern = compile_pattern(r"cost (?P<loss>\S+) at (?P<step>\d+)( of (?P<epoch>\d+))?")
    assert parse_pattern(pattern, "cost 1.5e-2 at 7") == Printed(Form.PATTERN, {"loss": 0.015}, 7)
    assert parse_pattern(pattern, "cost high at 7") is None
    assert parse_pattern(pattern, "loss 1.5 step 7") is None


@pytest.mark.parametrize("text", ["(", "cost (?P<cost>.*)", "loss"])
def test_a_pattern_must_be_valid_and_name_the_loss(text: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(text)
