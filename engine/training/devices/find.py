"""Devices by name: those that torch can train on."""

import torch

from engine.settings import SettingsError


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
