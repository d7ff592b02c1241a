"""The devices that torch can train on: which there are, what they hold, when they are full."""

import contextlib
import resource
import sys
from typing import Final

import torch

from engine.settings import SettingsError

_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of getrusage's ru_maxrss."""


def find_device(name: str) -> torch.device:
    """The device of that name; auto is CUDA, else MPS, else CPU. SettingsError when it is not there."""
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
        raise SettingsError(f"device {name!r} is not on this machine; here: auto, {', '.join(there)}")
    return torch.device(name)


def peak_memory(device: torch.device) -> int:
    """The most bytes used so far: on CUDA by tensors, on MPS what the driver holds, on the CPU resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on a GPU; 0 where nobody knows."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def is_out_of_memory(error: BaseException) -> bool:
    """torch raises its own error on a GPU, and a plain RuntimeError on the CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "not enough memory" in str(error)
    )


def release_memory(device: torch.device) -> None:
    """Give back what torch keeps for later on a GPU; its kernels may have failed, too."""
    with contextlib.suppress(RuntimeError):
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()


def seed_generator(device: torch.device, seed: int) -> None:
    """What is drawn on this device, and on the host, comes from this seed."""
    if device.type == "cpu":
        # torch.manual_seed also asks three kinds of device that are not there, each for a stack trace:
        # 0.3 ms, as much as a full-batch epoch of a small problem.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
