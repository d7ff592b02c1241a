"""The samples per second of a plain loop with batches of one, on the device that is named."""

import json
import sys
import time

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset


def main() -> None:
    device, n = sys.argv[1], 2000
    x = torch.randn(n, 10)
    model = torch.nn.Linear(10, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    loader = DataLoader(TensorDataset(x, (x[:, 0] > 0).float()), 1, shuffle=True)
    start = 0.0
    for _ in range(2):  # the first epoch is for warming up
        start = time.perf_counter()
        for inputs, target in loader:
            optimizer.zero_grad()
            output = model(inputs.to(device)).squeeze(-1)
            loss = functional.binary_cross_entropy_with_logits(output, target.to(device))
            loss.backward()
            optimizer.step()
            loss.item()
    print(json.dumps(n / (time.perf_counter() - start)))


if __name__ == "__main__":
    main()
