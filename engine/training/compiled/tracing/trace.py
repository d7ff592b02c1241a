"""The readable step as a graph of operations: it is run once, on tensors that note what is done.

Nothing of the step is written again here. Its parameters, the optimiser's state and its numbers are
replaced by the program's inputs, and the losses are its outputs.
"""

import copy
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.stateless import _reparametrize_module

from engine.training.compiled.layout import Layout, is_number, layout_of
from engine.training.compiled.spec import BlockSpec, UnsuitedError, first_line
from engine.training.compiled.tracing.numbers import FedNumbers, compiling
from engine.training.data.sources import Samples, SampleSource
from engine.training.model import Objective
from engine.training.recipe.optimizer import make_optimizer
from engine.training.recipe.update_step import UpdateStep, forward_of
from engine.training.schedule import Batch, cut
from engine.training.step import train

_aten: Final = torch.ops.aten
_SUMS: Final = (_aten.add.Tensor, _aten.add_.Tensor, _aten.sub.Tensor, _aten.sub_.Tensor)


@dataclass(frozen=True, slots=True)
class TracedBlock:
    """A block as a graph, with the inputs it was traced for."""

    graph: fx.GraphModule
    layout: Layout
    inputs: list[Tensor]
    """The tensors of the layout, the numbers that `number_inputs` makes, and the samples."""
    outputs: tuple[str, ...]
    """The results: "losses", then "weights" and "clipped" if there are any."""

    @property
    def nodes(self) -> int:
        """Operations in the graph."""
        return sum(node.op == "call_function" for node in self.graph.graph.nodes)


def trace(
    objective: Objective, optimizer: torch.optim.Optimizer, spec: BlockSpec, samples: list[Tensor]
) -> TracedBlock:
    """Trace a block of a training that has done an update.

    Raises UnsuitedError for a model, loss or optimiser that cannot be traced.
    """
    layout = layout_of(objective.model, optimizer)
    twin = _Twin(objective, optimizer, spec, layout)
    inputs = [each.detach() for each in (*twin.held, *twin.numbers, *samples)]
    from torch.fx.experimental.proxy_tensor import make_fx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = make_fx(twin.run, tracing_mode="fake", _allow_non_fake_inputs=True)(*inputs)
    except UnsuitedError:
        raise
    except Exception as error:
        raise UnsuitedError(_reason(error)) from error
    _multiply_before_adding(made.graph)
    made.graph.eliminate_dead_code()
    made.recompile()
    return TracedBlock(made, layout, inputs, tuple(twin.outputs))


def _multiply_before_adding(graph: fx.Graph) -> None:
    """Make the factor `alpha` of a sum or difference an operation of its own.

    The compiler of torch 2.13 forgets the factor if the first term is a product of matrices, as the
    gradient of a weight is, to which L2 regularisation adds `weight_decay` times the weight.
    """
    for node in graph.nodes:
        factor = node.kwargs.get("alpha", 1)
        if node.target in _SUMS and factor != 1:
            with graph.inserting_before(node):
                term = graph.call_function(_aten.mul.Tensor, (node.args[1], factor))
            node.args, node.kwargs = (node.args[0], term), {}


class _Twin:
    """The training with the program's inputs in the place of its tensors and numbers."""

    def __init__(
        self,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        spec: BlockSpec,
        layout: Layout,
    ) -> None:
        self._objective, self.optimizer, self._spec, self._layout = (
            objective,
            optimizer,
            spec,
            layout,
        )
        named, buffers = (
            dict(objective.model.named_parameters()),
            dict(objective.model.named_buffers()),
        )
        self._names = {id(each): name for name, each in named.items()}
        self.held = [
            *named.values(),
            *buffers.values(),
            *(optimizer.state[named[name]][key] for name, key in layout.state),
        ]
        settings = spec.settings
        lrs = [[settings.lr for _ in optimizer.param_groups]] * spec.updates
        self.numbers = number_inputs(lrs, [settings.momentum] * len(lrs[0]), settings.clip)
        self.outputs: list[str] = []

    def run(self, *inputs: Tensor) -> list[Tensor]:
        """Train a block on the inputs, in place; return its losses, and what else it has."""
        todo = iter(inputs)
        layout, objective = self._layout, self._objective
        own = dict(objective.model.named_parameters())
        leaves = {
            name: next(todo).detach().requires_grad_(own[name].requires_grad)
            for name in layout.parameters
        }
        buffers = {name: next(todo) for name in layout.buffers}
        state = [next(todo) for _ in layout.state]
        lrs, momentum, clip, *samples = todo
        twin = copy.copy(objective)
        trained = [leaves[self._names[id(each)]] for each in objective.parameters]
        twin.parameters = cast(list[nn.Parameter], trained)
        step = _TwinStep(twin, self._spec, lrs, momentum, clip)
        step.begin(layout, leaves, state)
        replaced = {**leaves, **buffers}
        # A module with two names is replaced twice, so the last replacement is taken back first.
        swaps = {"tie_weights": True, "stack_weights": True}
        with _reparametrize_module(objective.model, replaced, **swaps):
            results = train_block(twin, self._spec, samples, step)
            current = dict(objective.model.named_buffers())
            with torch.no_grad():
                for name, buffer in buffers.items():
                    _write(buffer, current[name])
                step.finish(layout, leaves, state)
        self.outputs = [*results]
        return [*results.values()]


class _TwinStep:
    """The end of an update, by torch's optimiser on the program's inputs."""

    def __init__(
        self, objective: Objective, spec: BlockSpec, lrs: Tensor, momentum: Tensor, clip: Tensor
    ) -> None:
        self.lrs = lrs
        settings = spec.settings
        self.optimizer = make_optimizer(objective, settings, settings.lr)
        self._end = UpdateStep(self.optimizer, objective.parameters, settings, objective.device)
        fed: dict[int, float] = {}
        self._fed: list[Tensor] = []
        for number, group in enumerate(self.optimizer.param_groups):
            group["foreach"] = group["fused"] = False
            if spec.has_momentum:
                group["momentum"] = momentum[number]
                self._fed.append(group["momentum"])  # keeps the id
                fed[id(group["momentum"])] = settings.momentum
        replaced = {settings.clip: clip} if settings.clip is not None else {}
        self._mode = FedNumbers(fed, replaced)

    @property
    def clipped(self) -> list[Tensor]:
        """A flag for each update, true if its gradient was clipped; none without clipping."""
        return self._end.clipped

    def begin(self, layout: Layout, leaves: dict[str, Tensor], state: list[Tensor]) -> None:
        """Give the optimiser its state; step counts in double precision, as Python has them."""
        for (name, key), tensor in zip(layout.state, state, strict=True):
            is_wide = is_number(key, tensor, leaves[name])
            self.optimizer.state[leaves[name]][key] = tensor.double() if is_wide else tensor

    def __call__(self) -> None:
        with compiling(), self._mode:
            self._end()

    def finish(self, layout: Layout, leaves: dict[str, Tensor], state: list[Tensor]) -> None:
        """Write the optimiser's state back to where it came from."""
        for (name, key), tensor in zip(layout.state, state, strict=True):
            _write(tensor, self.optimizer.state[leaves[name]][key])


class BlockStep(Protocol):
    """The end of each update of a block, with its lr in a tensor."""

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """Updates the weights."""

    @property
    def lrs(self) -> Tensor:
        """The lr of each update and parameter group, of shape (updates, groups)."""

    @property
    def clipped(self) -> list[Tensor]:
        """A flag for each update, true if its gradient was clipped; none without clipping."""

    def __call__(self) -> None:
        """Update the weights."""


def _followed(schedule: Iterator[Batch], step: BlockStep) -> Iterator[Batch]:
    """The batches as they come, with the lr set as each update begins."""
    begun = 0
    for batch in schedule:
        if not batch.in_update:
            for number, group in enumerate(step.optimizer.param_groups):
                group["lr"] = step.lrs[begun, number]
            begun += 1
        yield batch


def train_block(
    objective: Objective, spec: BlockSpec, samples: list[Tensor], step: BlockStep
) -> dict[str, Tensor]:
    """Train a block by the readable step; return its results by their names in an Outcome."""
    schedule = cut(0, spec.size, spec.resolved, adds=objective.average.is_sum)
    forward = forward_of(objective, spec.precision, objective.device)
    source = cast(SampleSource, _Given(spec, samples))
    trained = [*train(_followed(schedule, step), source, objective, step, forward)]
    results = {"losses": torch.stack([loss for _, loss, _ in trained])}
    weights = [weight for _, _, weight in trained if weight is not None]
    if weights:
        results["weights"] = torch.stack(weights)
    if step.clipped:
        results["clipped"] = torch.stack(step.clipped)
    return results


class _Given:
    """A source of a block's samples."""

    def __init__(self, spec: BlockSpec, tensors: list[Tensor]) -> None:
        self._spec, self._tensors = spec, tensors

    def take(self, start: int, stop: int) -> Samples:
        return self._spec.samples_of([each[start:stop] for each in self._tensors])


def number_inputs(
    lrs: Sequence[Sequence[float]], momentum: Sequence[float], clip: float | None
) -> list[Tensor]:
    """The numbers of a block: lr by update and group, momentum by group, and the norm to clip to.

    They are on the host, in double precision, as Python has them.
    """
    return [torch.tensor(each, dtype=torch.float64) for each in (lrs, momentum, clip or 0.0)]


def _write(place: Tensor, current: Tensor) -> None:
    if current is not place:
        if current.shape != place.shape:
            raise UnsuitedError("training changes the size of a tensor that the model keeps")
        place.copy_(current)


def _reason(error: Exception) -> str:
    """The reason why a trace failed, in plain words if it is a known one."""
    text = str(error)
    name = type(error).__name__
    if "DataDependent" in name or "tracing tensor" in text or "data-dependent" in text:
        return "what it computes depends on the values of tensors (data-dependent control flow)"
    return f"torch cannot trace it: {first_line(error)}"
