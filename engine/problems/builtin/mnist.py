"""Images in an `.npz` file, as Keras distributes MNIST, through a small convolutional network."""

from engine.problem import Problem
from engine.problems.builtin import arrays
from engine.settings import DataSettings


def make(seed: int, data: DataSettings) -> Problem:
    """That file's images (n, h, w), (n, h, w, channels) or (n, channels, h, w), and classes."""
    return arrays.make(seed, data, model="cnn")
