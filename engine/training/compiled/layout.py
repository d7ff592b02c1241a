"""The tensors that an update changes, by name, and the places where a training holds them."""

import msgspec
import torch
from torch import Tensor, nn

from engine.training.compiled.spec import UnsuitedError


class Layout(msgspec.Struct, frozen=True):
    """Names of these tensors, in the order in which a program takes them."""

    parameters: tuple[str, ...]
    """All parameters of the model, also frozen ones."""
    buffers: tuple[str, ...]
    state: tuple[tuple[str, str], ...]
    """The optimiser's state: the parameter that each tensor belongs to, and its key."""

    @property
    def count(self) -> int:
        """The number of tensors."""
        return len(self.parameters) + len(self.buffers) + len(self.state)


def layout_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> Layout:
    """The layout of a training that has done an update, which has made the optimiser's state."""
    parameters = dict(model.named_parameters())
    names = {id(parameter): name for name, parameter in parameters.items()}
    state = []
    for parameter in _optimised(optimizer):
        if id(parameter) not in names:
            raise UnsuitedError("the optimiser changes tensors that are not the model's")
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                state.append((names[id(parameter)], key))
            elif value is not None:
                raise UnsuitedError(f"the optimiser keeps {key} as a {type(value).__name__}")
    return Layout(tuple(parameters), tuple(dict(model.named_buffers())), tuple(state))


class HeldTensors:
    """The tensors of a layout where a model and its optimiser hold them."""

    def __init__(self, layout: Layout, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Raises UnsuitedError for a model with other tensors."""
        self.optimizer = optimizer
        named, modules = dict(model.named_parameters()), dict(model.named_modules())
        if (
            tuple(named) != layout.parameters
            or tuple(dict(model.named_buffers())) != layout.buffers
        ):
            raise UnsuitedError("the model has other weights than the compiled one")
        self._parameters = [*named.values()]
        self._buffers = []
        for name in layout.buffers:
            path, _, attribute = name.rpartition(".")
            self._buffers.append((modules[path]._buffers, attribute))
        self._state = [(named[name], key) for name, key in layout.state]

    @property
    def has_state(self) -> bool:
        """True once the optimiser has made its state, in the first update."""
        state = self.optimizer.state
        return all(key in state.get(parameter, ()) for parameter, key in self._state)

    def tensors(self) -> list[Tensor]:
        """The tensors as they are now: loading a state may have replaced some."""
        state = self.optimizer.state
        return [
            *self._parameters,
            *[owner[name] for owner, name in self._buffers],
            *[state[parameter][key] for parameter, key in self._state],
        ]


def is_number(key: str, value: Tensor, parameter: Tensor) -> bool:
    """True for a number that an optimiser keeps for a parameter, such as a step count."""
    return value.ndim == 0 and value.is_floating_point() and (key == "step" or parameter.ndim > 0)


def _optimised(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
