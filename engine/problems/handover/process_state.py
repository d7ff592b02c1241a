"""Settings of the whole process that a user's code may change: torch's, numpy's, the system's."""

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from engine.problems.handover.pickling import HandoverError


def _attribute(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    return lambda: getattr(owner, name, None), lambda value: setattr(owner, name, value)


def _set_default_device(device: Any) -> None:
    torch.set_default_device(device)


def _set_path(wanted: list[str]) -> None:
    sys.path[:] = wanted


_CUDNN: Final = torch.backends.cudnn
_SETTINGS: Final[dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]] = {
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "default device": (
        getattr(torch, "get_default_device", lambda: None),
        _set_default_device,
    ),
    "threads": (torch.get_num_threads, torch.set_num_threads),
    "gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "precision of products": (
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    "deterministic": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
    **{
        f"cudnn.{name}": _attribute(_CUDNN, name)
        for name in ("enabled", "benchmark", "deterministic", "allow_tf32")
    },
    "cuda.allow_tf32": _attribute(torch.backends.cuda.matmul, "allow_tf32"),
    "numpy's errors": (np.geterr, lambda wanted: np.seterr(**wanted)),
    "path": (lambda: list(sys.path), _set_path),
    "directory": (lambda: str(Path.cwd()), os.chdir),
}
"""Every setting, with the functions that read and write it."""


class ProcessState:
    """The settings of this process at some time."""

    def __init__(self) -> None:
        self._settings = {name: read() for name, (read, _) in _SETTINGS.items()}
        self._environment = dict(os.environ)
        self._operators = _count_operators()

    def changes(self) -> "ProcessChanges":
        """The settings that differ now.

        Raises HandoverError if operators were added to torch, which no setting brings along.
        """
        if _count_operators() != self._operators:
            raise HandoverError("it imports a package that adds operators to torch")
        now = ((name, read()) for name, (read, _) in _SETTINGS.items())
        names = {**self._environment, **os.environ}
        return ProcessChanges(
            {name: value for name, value in now if value != self._settings[name]},
            {
                name: os.environ.get(name)
                for name in names
                if os.environ.get(name) != self._environment.get(name)
            },
        )


class ProcessChanges(NamedTuple):
    """Settings that a user's code made."""

    settings: dict[str, Any]
    environment: dict[str, str | None]
    """Environment variables; None for those that were removed."""

    def apply(self) -> None:
        """Make these settings in this process."""
        for name, value in self.settings.items():
            _SETTINGS[name][1](value)
        for name, text in self.environment.items():
            if text is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text


def _count_operators() -> int:
    names = getattr(torch._C, "_dispatch_get_all_op_names", None)
    return len(names()) if names is not None else 0


def random_state() -> tuple[Any, ...]:
    """The states of torch's, numpy's and Python's generators."""
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


def set_random_state(state: tuple[Any, ...]) -> None:
    """Set these states again."""
    torch.set_rng_state(state[0])
    np.random.set_state(state[1])
    random.setstate(state[2])
