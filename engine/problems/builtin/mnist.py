"""A small convolutional network on images in an `.npz` file, as Keras distributes MNIST."""

from engine.problem import Problem
from engine.problems.builtin import arrays
from engine.settings import DataSettings


def make(seed: int, data: DataSettings) -> Problem:
    """The problem with the file's classes and images (n, h, w), channels before or after h, w."""
    return arrays.make(seed, data, model="cnn")
