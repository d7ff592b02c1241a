"""Hyperparameters as tensors, which are inputs of a program, for the code of torch.optim."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_COMPARISONS: Final = ("eq", "ne", "lt", "le", "gt", "ge")


class FedNumbers(TorchFunctionMode):
    """A mode in which torch's functions take tensors for `alpha` and `value`, as for numbers.

    Comparisons of a fed number with another, such as `momentum != 0`, have the outcome that they
    have for its value in the trace.
    """

    def __init__(self, values: Mapping[int, float], replaced: Mapping[float, Tensor]) -> None:
        """`values`: those of the fed numbers in the trace, by `id` of their tensor.

        `replaced`: tensors by the number that they stand in for, where code needs a number.
        """
        super().__init__()
        self._values, self._replaced = values, replaced

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        args = tuple(
            self._replaced.get(each, each) if isinstance(each, float) else each for each in args
        )
        name = func.__name__.strip("_")
        if name in _COMPARISONS and id(args[0]) in self._values:
            return getattr(operator, name)(self._values[id(args[0])], args[1])
        if isinstance(factor := kwargs.get("alpha"), Tensor):
            return _added(func, args[0], args[1] * factor)
        if isinstance(factor := kwargs.get("value"), Tensor):
            first, second = args[1] * factor, args[2]  # in the order of torch's kernels
            term = first / second if name.startswith("addcdiv") else first * second
            return _added(func, args[0], term)
        return func(*args, **kwargs)


def _added(func: Any, base: Tensor, term: Tensor) -> Tensor:
    """The sum, in place if `func` works in place; the difference for a subtraction."""
    sign = -1 if func.__name__.startswith("sub") else 1
    if func.__name__.endswith("_"):
        return base.add_(term, alpha=sign)
    return base.add(term, alpha=sign)


@contextmanager
def compiling() -> Iterator[None]:
    """Let torch.optim take the paths for compilers: it leaves step counts as tensors."""
    before = torch.compiler._is_compiling_flag
    torch.compiler._is_compiling_flag = True
    try:
        yield
    finally:
        torch.compiler._is_compiling_flag = before
