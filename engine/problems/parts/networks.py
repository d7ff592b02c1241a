"""The networks of gdtui's own problems."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Sequential):
    """(b, …) -> (b, outputs): flattens all but the batch, then ReLU layers of these widths."""

    def __init__(self, features: int, hidden: Sequence[int], outputs: int) -> None:
        widths = [features, *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.ReLU()]
        super().__init__(*layers, nn.Linear(widths[-1], outputs))


class SmallCNN(nn.Sequential):
    """Images (b, channels, height, width), at least 4×4, -> logits (b, classes).

    Two 3×3 convolutions, each followed by max pooling that halves the image, and a linear layer.
    """

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        super().__init__(
            *(nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(32 * (height // 4) * (width // 4), classes)),
        )


class Standardised(nn.Module):
    """A model with inputs scaled by (x − mean) ÷ std here, so that data stay raw, even uint8."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, model: nn.Module) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.model((inputs - self.mean) / self.std)
        return output
