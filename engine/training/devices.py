"""The devices that torch can train on, and their memory."""

import resource
import sys
from typing import Final

import torch

from engine.settings import SettingsError

_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of getrusage's ru_maxrss."""


def find_device(name: str) -> torch.device:
    """The device of this name; "auto" picks CUDA, else MPS, else the CPU.

    Raises SettingsError if the machine has no such device.
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    kind, _, index = name.partition(":")
    gpus = torch.cuda.device_count() if kind == "cuda" else 0
    is_there = {"cpu": True, "mps": has_mps, "cuda": gpus > 0}.get(kind, False)
    if not is_there or (index and not (kind == "cuda" and index.isdecimal() and int(index) < gpus)):
        there = [
            "cpu",
            *(f"cuda:{k}" for k in range(torch.cuda.device_count())),
            *(["mps"] * has_mps),
        ]
        raise SettingsError(
            f"device {name!r} is not available on this machine; choose from auto, "
            f"{', '.join(there)}"
        )
    return torch.device(name)


def peak_memory(device: torch.device) -> int:
    """Peak bytes: allocated to tensors on CUDA, held by the driver on MPS, resident on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on a CUDA device; 0 for other devices."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


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
