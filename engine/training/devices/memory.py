"""Memory of a device: how much is taken, and how much is free."""

import contextlib
import resource
import sys
from typing import Final

import torch

_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of getrusage's ru_maxrss."""
_CONTEXT_BYTES: Final = 600 << 20
"""A process's context and libraries on a GPU, which torch's allocator does not count."""


def peak_memory(device: torch.device) -> int:
    """Peak bytes: allocated to tensors on CUDA, held by the driver on MPS, resident on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def limit_memory(device: torch.device, sharing: int) -> None:
    """Let torch allocate this process's share of a GPU at most; a single process has all of it.

    Memory that one of them runs out of is then its own, not taken from the others.
    """
    if device.type == "cuda" and sharing > 1:
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(memory_share(total, sharing), device)


def memory_share(total: int, sharing: int) -> float:
    """Share of a GPU's `total` bytes for the tensors of each of so many processes."""
    return max(1 / sharing - _CONTEXT_BYTES / total, 0.5 / sharing)


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on a CUDA device; 0 for other devices."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def release_memory(device: torch.device) -> None:
    """Free the GPU memory that torch caches; kernels that are still queued may fail as well."""
    with contextlib.suppress(RuntimeError):
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()
