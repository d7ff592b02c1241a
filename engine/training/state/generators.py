"""The states of random number generators, as plain values and tensors."""

import random
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch

_MOST: Final = {"pos": 624, "buffer_pos": 4}
"""Largest places in the buffers of numpy's generators, which numpy does not check."""

OBJECTS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
"""Kinds of generators that a user's model may hold."""


def global_generators(device: torch.device) -> dict[str, Any]:
    """The states of the generators of torch, numpy and Python that all code shares."""
    state = {
        "torch": torch.get_rng_state(),
        "numpy": dict(np.random.get_state(legacy=False)),
        "python": random.getstate(),
    }
    if device.type == "cuda":
        state["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["device"] = torch.mps.get_rng_state()
    return state


def restore_global_generators(state: Mapping[str, Any], device: torch.device) -> None:
    """Let the shared generators continue from these states."""
    _check_numpy(state["numpy"])
    torch.set_rng_state(state["torch"])
    np.random.set_state(state["numpy"])
    random.setstate(state["python"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["device"], device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state["device"])


def generator_state(generator: Any) -> Any:
    """The state of one of OBJECTS."""
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, np.random.RandomState):
        return dict(generator.get_state(legacy=False))
    return generator.getstate()


def restore_generator(generator: Any, state: Any) -> None:
    """Let one of OBJECTS continue from a state of its kind."""
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    elif isinstance(generator, np.random.Generator):
        _check_numpy(state)
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        _check_numpy(state)
        generator.set_state(state)
    else:
        generator.setstate(state)


def _check_numpy(state: Mapping[str, Any]) -> None:
    """Raise ValueError for a state with which numpy would read outside of its buffer."""
    for part in (state, state["state"]):
        for name, most in _MOST.items():
            place = part.get(name, 0)
            if type(place) is not int or not 0 <= place <= most:
                raise ValueError(f"a generator is at place {place} of {most}")
