"""Recognise a digit: a small convolutional network on the 8×8 images of the problem `digits`."""

from engine.problem import Problem
from engine.problems.builtin import digits
from engine.problems.parts.factories import CNNFactory
from engine.problems.parts.losses import accuracy, class_loss


def make(seed: int) -> Problem:
    """The problem with the data of `digits` as images (n, 1, 8, 8)."""
    (inputs, labels), (held_out, held_out_labels) = digits.load(seed, "digits-cnn")
    return Problem(
        train=(inputs.view(-1, 1, 8, 8), labels),
        validation=(held_out.view(-1, 1, 8, 8), held_out_labels),
        model=CNNFactory(channels=1, height=8, width=8, classes=10),
        loss=class_loss,
        metrics={"accuracy": accuracy},
    )
