"""GPUs that torch seems to have: as many as asked for, or none for a reason."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

TOO_OLD = (
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU "
    "driver by downloading and installing a new version"
)
NO_DRIVER = "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"


class FakeGpus:
    """torch.cuda with made-up GPUs; records what a process sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.complaint = "No CUDA GPUs are available"
        self.total = 80 << 30
        self.set: dict[str, Any] = {}
        self._monkeypatch = monkeypatch
        cuda = {
            "is_available": lambda: self.count > 0,
            "device_count": lambda: self.count,
            "init": self._init,
            "set_device": lambda device: self.set.update(device=device),
            "set_per_process_memory_fraction": lambda share, device: self.set.update(share=share),
            "get_device_properties": self._properties,
        }
        for name, value in cuda.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        self.visible("")  # so that it is restored, whatever a test sets
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        self.built(True)

    def built(self, is_built: bool) -> None:
        """Let torch be a build for CUDA, or for the CPU."""
        self._monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: is_built)
        self._monkeypatch.setattr(torch.version, "cuda", "12.8" if is_built else None)

    def visible(self, names: str) -> None:
        """Set the variable that says which GPUs a process sees."""
        self._monkeypatch.setenv("CUDA_VISIBLE_DEVICES", names)

    def _properties(self, device: object) -> SimpleNamespace:
        return SimpleNamespace(total_memory=self.total, uuid=f"{device}ebc1d3a-0d2d")

    def _init(self) -> None:
        if not self.count:
            raise RuntimeError(self.complaint)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> FakeGpus:
    """No GPU, of a CUDA build, until a test says otherwise."""
    return FakeGpus(monkeypatch)
