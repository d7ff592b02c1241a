"""A small loop over torch batches, as a script without gdtui trains it, for tests of tracking."""

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

SAMPLES: Final = 50
EPOCHS: Final = 3


class Loop:
    """A small training problem in float64, the same each time it is made."""

    def __init__(self, batch_size: int = 8, **optimizer: Any) -> None:
        torch.manual_seed(1)
        x = torch.randn(SAMPLES, 3, dtype=torch.float64)
        y = x.sum(1, keepdim=True).sin()
        self.model = nn.Sequential(
            nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.2), nn.Linear(4, 1)
        ).double()
        settings = {"lr": 0.05, "momentum": 0.9, **optimizer}
        self.optimizer = torch.optim.SGD(self.model.parameters(), **settings)
        self.loader = DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=True)
        self.losses: list[float] = []

    def loss(self, batch: Any) -> Tensor:
        x, y = batch
        loss = nn.functional.mse_loss(self.model(x), y)
        self.losses.append(float(loss.detach()))
        return loss

    @property
    def weights(self) -> Tensor:
        return torch.cat([each.detach().reshape(-1) for each in self.model.parameters()])


def plain(loop: Loop, accumulation: int = 1) -> Loop:
    """Train as a script without gdtui does: each group's gradient is that of its mean loss."""
    for _ in range(EPOCHS):
        batches = [8] * 6 + [2]
        for index, batch in enumerate(loop.loader):
            first = index - index % accumulation
            group = sum(batches[first : first + accumulation])
            loss = loop.loss(batch)
            if accumulation == 1:
                loss.backward()
            else:
                (loss * len(batch[0]) / group).backward()
            if (index + 1) % accumulation == 0 or index + 1 == len(batches):
                loop.optimizer.step()
                loop.optimizer.zero_grad()
    return loop
