"""Recognise a digit: a multi-layer perceptron on the 64 pixels of 1,797 handwritten digits.

From Alpaydin & Kaynak 1998; scikit-learn ships them.
"""

from typing import Final

from torch import Tensor

from engine.problem import Problem
from engine.problems.parts import scikit
from engine.problems.parts.factories import MLPFactory
from engine.problems.parts.losses import accuracy, class_loss

BRIGHTEST: Final = 16.0
"""The largest value of a pixel; the smallest is 0."""


def make(seed: int) -> Problem:
    """The problem with its data, split by this seed; pixels range from −1 to 1."""
    train, held_out = load(seed, "digits")
    return Problem(
        train=train,
        validation=held_out,
        model=MLPFactory(features=64, hidden=(64,), outputs=10),
        loss=class_loss,
        metrics={"accuracy": accuracy},
    )


def load(seed: int, problem: str) -> scikit.Split:
    """Pixels (n, 64) from −1 to 1, and labels (n,), for training and for validation."""
    (inputs, labels), (held_out, held_out_labels) = scikit.load("digits", seed, problem)
    return (_scaled(inputs), labels), (_scaled(held_out), held_out_labels)


def _scaled(pixels: Tensor) -> Tensor:
    return pixels * (2 / BRIGHTEST) - 1
