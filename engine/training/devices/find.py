"""Devices by name: those that torch can train on."""

import os
import re
from collections.abc import Iterable
from typing import Final

import torch

from engine.settings import SettingsError
from engine.training.devices.absence import VISIBLE, why_no_cuda, why_no_mps, why_on_cpu

_UUID: Final = re.compile(r"(GPU|MIG)-[0-9A-Za-z/-]+", re.IGNORECASE)
"""`nvidia-smi -L` shows them: of a GPU, or of an instance that is a part of one."""


def find_device(name: str) -> torch.device:
    """The device of this name, with its index; "auto" picks CUDA, else MPS, else the CPU.

    For a UUID, the process sees that GPU alone from then on. Raises SettingsError if the machine
    has no such device.
    """
    if _UUID.fullmatch(name):
        return _by_uuid(name)
    kind, _, index = name.partition(":")
    if kind == "auto" and not index:
        kind = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    if kind == "cpu" and not index:
        return torch.device("cpu")
    if kind == "mps" and _has_mps() and index in ("", "0"):
        return torch.device("mps", 0)
    if kind == "cuda" and _is_index(index or "0", torch.cuda.device_count()):
        return torch.device("cuda", int(index or "0"))
    raise _not_there(name, kind)


def device_label(name: str, device: torch.device) -> str:
    """The device as readers know it: its index, or the start of the UUID that it was found by."""
    return "-".join(name.split("-")[:2]) if _UUID.fullmatch(name) else str(device)


def fallback_note(name: str) -> str:
    """A note for the user where "auto" picks the CPU although there is a GPU; else ""."""
    if name != "auto" or torch.cuda.is_available() or _has_mps():
        return ""
    reason = why_on_cpu()
    return reason and f"training on the CPU, although there is a GPU: {reason}"


def count_sharing(names: Iterable[str], name: str) -> int:
    """Names among these that mean the same device as `name`, under which it was found."""
    mine = _identity(name)
    return sum(_identity(each) == mine for each in names)


def _identity(name: str) -> object:
    """Equal for names of one device."""
    if _UUID.fullmatch(name):
        return name.lower()
    try:
        return find_device(name)
    except SettingsError:
        return name


def _by_uuid(name: str) -> torch.device:
    """CUDA opens one part of a divided GPU per process: the one that the environment names."""
    before = os.environ.get(VISIBLE)
    listed = [each.strip() for each in (before or "").split(",")]
    matches = [each for each in listed if each.lower().startswith(name.lower())]
    if before is not None and not matches:
        for place in range(torch.cuda.device_count()):  # the environment has numbers instead
            if _uuid_of(place).startswith(name.lower()):
                return torch.device("cuda", place)
        raise SettingsError(f"device {name!r} is not in {VISIBLE}={before!r}")
    os.environ[VISIBLE] = matches[0] if matches else _as_cuda_writes(name)
    if torch.cuda.device_count() != 1 or not torch.cuda.is_available():
        reason = why_no_cuda()
        _restore(before)
        raise SettingsError(f"device {name!r} is not available on this machine ({reason})")
    return torch.device("cuda", 0)


def _uuid_of(place: int) -> str:
    """The UUID of a GPU as nvidia-smi writes it, in lower case; torch leaves its prefix out."""
    return f"gpu-{getattr(torch.cuda.get_device_properties(place), 'uuid', '')}".lower()


def _as_cuda_writes(uuid: str) -> str:
    return re.sub(r"(gpu|mig)-", lambda prefix: prefix[0].upper(), uuid.lower())


def _restore(before: str | None) -> None:
    if before is None:
        del os.environ[VISIBLE]
    else:
        os.environ[VISIBLE] = before


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _is_index(text: str, count: int) -> bool:
    return text.isdecimal() and int(text) < count


def _not_there(name: str, kind: str) -> SettingsError:
    gpus = torch.cuda.device_count()
    there = ["cpu", *(f"cuda:{place}" for place in range(gpus)), *(["mps"] * _has_mps())]
    why = why_no_cuda() if kind == "cuda" and not gpus else ""
    why = why_no_mps() if kind == "mps" and not _has_mps() else why
    return SettingsError(
        f"device {name!r} is not available on this machine{f' ({why})' if why else ''}; "
        f"choose from auto, {', '.join(there)}"
    )
