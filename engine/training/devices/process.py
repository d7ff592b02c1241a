"""A device as a process uses it: waits for it, and the seed of what it draws."""

import torch


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished all queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seed_generator(device: torch.device, seed: int) -> None:
    """Seed torch's generators on the device and on the host."""
    if device.type == "cpu":
        # torch.manual_seed also seeds three kinds of absent device, and records a stack trace for
        # each: 0.3 ms, as much as a full-batch epoch of a small problem.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
