"""A captured block at work: updates of the readable step, recorded once as a CUDA graph.

Nothing is compiled and nothing written again: a replay launches the kernels of all updates in one
call, on the tensors that a training holds. Samples, lrs and step counts are copied to fixed places
on the device, from where the kernels read them.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import torch
from msgspec.structs import replace
from torch import Tensor

from engine.training.compiled.layout import HeldTensors, is_number, layout_of
from engine.training.compiled.spec import BlockSpec, UnsuitedError
from engine.training.compiled.tracing.numbers import FedNumbers, compiling
from engine.training.compiled.tracing.trace import train_block
from engine.training.data.sources import Samples
from engine.training.devices.errors import OutOfMemoryInStepError, raise_in_step
from engine.training.devices.graphs import GraphRecorder, Work
from engine.training.execution.block import Outcome
from engine.training.model import Objective
from engine.training.recipe.optimizer import make_optimizer
from engine.training.recipe.recipe import Recipe
from engine.training.recipe.update_step import UpdateStep
from engine.training.state.generators import global_generators, restore_global_generators

_WARM_UP: Final = 3
"""Updates before a capture, at least: libraries and scripted models set themselves up."""
_FOREACH: Final = ("sgd", "adam", "adamw")
"""Optimisers whose code for all weights at once takes an lr on the device."""


class WorkRecorder(Protocol):
    """Records work so that it can be done again without Python."""

    def warm_up(self, work: Work) -> None:
        """Do the work, where it will be recorded."""

    def record(self, work: Work) -> Work:
        """Record the work without doing it; the result does it, with results in one place."""


class CapturedBlock:
    """A CUDA graph that trains blocks of one training, in place of the readable step.

    Parameters, buffers and the optimiser's state change in place, so that the readable step,
    checkpoints and evaluations go on from there. Use it in the thread that trains.
    """

    def __init__(
        self,
        spec: BlockSpec,
        objective: Objective,
        recipe: Recipe,
        samples: Samples,
        recorder: WorkRecorder | None = None,
    ) -> None:
        """Capture a block, which leaves the training as it is; `samples` are any of this form.

        Raises UnsuitedError if the block cannot be captured, or what torch raises.
        """
        self.spec = spec
        self._objective, self._recipe = objective, recipe
        self._samples = [each.clone() for each in spec.fitting(samples)]
        self._recorder = recorder or GraphRecorder(objective.device)
        self._capture()

    @property
    def is_ready(self) -> bool:
        """True: the optimiser has the state that its first update makes."""
        return True

    @property
    def updates(self) -> int:
        """Updates in a call."""
        return self.spec.updates

    def train(self, samples: Samples, lrs: Sequence[float]) -> Outcome:
        """Train on the samples of all batches in order, with the lr in force of each update."""
        given = self.spec.fitting(samples)
        if not self._is_current():
            self._capture()
        for place, tensor in zip(self._samples, given, strict=True):
            place.copy_(tensor)
        self._step.feed(lrs, self._recipe.lr_ratios)
        try:
            results = self._replay()
            self._step.finish()
            # The next replay writes there again.
            return Outcome(**{name: each.clone() for name, each in results.items()})
        except Exception as error:
            raise_in_step(error)

    def _is_current(self) -> bool:
        """False if the graph has other tensors, or another norm to clip to, than the training."""
        held, recipe = self._held, self._recipe
        if held.optimizer is not recipe.optimizer or self._clip != recipe.clip:
            return False
        pairs = zip(held.tensors(), self._places, strict=True)
        return all(one is other for one, other in pairs)

    def _capture(self) -> None:
        model, optimizer = self._objective.model, self._recipe.optimizer
        self._held = HeldTensors(layout_of(model, optimizer), model, optimizer)
        self._places, self._clip = self._held.tensors(), self._recipe.clip
        self._step = _DeviceStep(self._objective, self._recipe, self.spec)
        self._step.feed([self._recipe.lr] * self.updates, self._recipe.lr_ratios)
        try:
            self._warm_up()
            self._replay = self._recorder.record(self._train)
        except OutOfMemoryInStepError as error:  # nothing was trained, unlike in a real step
            raise torch.OutOfMemoryError(str(error.__cause__)) from None
        finally:
            self._objective.zero_grad()

    def _warm_up(self) -> None:
        """Train as will be recorded, so that every kernel is loaded, and undo it."""
        device = self._objective.device
        kept = [each.detach().clone() for each in self._places]
        draws = global_generators(device)
        try:
            for _ in range(0, _WARM_UP, self.updates):
                self._recorder.warm_up(self._train)
        finally:
            with torch.no_grad():
                for place, tensor in zip(self._places, kept, strict=True):
                    place.copy_(tensor)
            restore_global_generators(draws, device)
        self._step.check()

    def _train(self) -> dict[str, Tensor]:
        """Train a block on the samples in their places: the work that is recorded."""
        return train_block(self._objective, self.spec, self._samples, self._step.begin())


class _DeviceStep:
    """The end of an update by torch's optimiser, with its numbers in tensors on the device.

    The state is that of the training's own optimiser, but for the numbers that this one keeps on
    the host, such as step counts: they are copied there and back.
    """

    def __init__(self, objective: Objective, recipe: Recipe, spec: BlockSpec) -> None:
        device, settings = objective.device, replace(spec.settings, clip=recipe.clip)
        self._updates = spec.updates
        self.optimizer = make_optimizer(objective, settings, settings.lr)
        self._end = UpdateStep(self.optimizer, objective.parameters, settings, device)
        groups, theirs = self.optimizer.param_groups, recipe.optimizer.param_groups
        # In the type of the weights: torch's kernels for many weights take no other number.
        kind = _type_of(objective)
        self.lrs = torch.zeros(spec.updates, len(groups), dtype=kind, device=device)
        self._fed: list[list[float]] = []
        name = settings.optimizer_parsed.name
        for mine, its in zip(groups, theirs, strict=True):
            mine.update({key: value for key, value in its.items() if key != "params"})
            mine.update({"foreach": name in _FOREACH, "fused": False})
            if "capturable" in mine:
                mine["capturable"] = True
        self._share(objective, recipe.optimizer)

    def _share(self, objective: Objective, optimizer: torch.optim.Optimizer) -> None:
        """Take the state of the training's own optimiser."""
        states = [(each, optimizer.state.get(each, {})) for each in objective.parameters]
        self._hosted = [
            (state, key)
            for parameter, state in states
            for key, value in state.items()
            if isinstance(value, Tensor)
            and value.device.type == "cpu"
            and is_number(key, value, parameter)
        ]
        # In double precision, as Python has them: 1 - 0.999 has three digits less than 0.999.
        count, device = len(self._hosted), objective.device
        self._numbers = torch.zeros(count, dtype=torch.float64, device=device)
        self._known: list[float] = []
        places = {id(state[key]): self._numbers[k] for k, (state, key) in enumerate(self._hosted)}
        self._shared: dict[Tensor, dict[str, Any]] = {
            parameter: {key: places.get(id(value), value) for key, value in state.items()}
            for parameter, state in states
            if state
        }
        for parameter, shared in self._shared.items():
            self.optimizer.state[parameter] = {**shared}

    @property
    def clipped(self) -> list[Tensor]:
        """A flag for each update, true if its gradient was clipped; none without clipping."""
        return self._end.clipped

    def begin(self) -> "_DeviceStep":
        """Begin to train or record a block."""
        self._known = []  # an update in a warm-up counts on the device
        self._end.clipped.clear()
        return self

    def __call__(self) -> None:
        with compiling(), FedNumbers({}, {}):
            self._end()

    def feed(self, lrs: Sequence[float], ratios: Sequence[float]) -> None:
        """Set the numbers of the next block, where they differ from those on the device."""
        by_group = [[lr * ratio for ratio in ratios] for lr in lrs]
        if by_group != self._fed:
            self._fed = _sent(by_group, self.lrs)
        numbers = [float(state[key]) for state, key in self._hosted]
        if numbers != self._known:
            self._known = _sent(numbers, self._numbers)

    def finish(self) -> None:
        """Write the numbers that the block has changed back to the host."""
        if all(key == "step" for _, key in self._hosted):
            self._known = [each + self._updates for each in self._known]
        else:
            self._known = self._numbers.tolist()  # waits for the device
        for (state, key), number in zip(self._hosted, self._known, strict=True):
            state[key].fill_(number)

    def check(self) -> None:
        """Raise UnsuitedError if an update has changed more than the content of the state."""
        for parameter, state in self.optimizer.state.items():
            shared: dict[str, Any] = self._shared.get(parameter, {})
            if state.keys() != shared.keys() or any(state[key] is not shared[key] for key in state):
                raise UnsuitedError("the optimiser replaces its state in an update")


def _type_of(objective: Objective) -> torch.dtype:
    kinds = {each.dtype for each in objective.parameters}
    if len(kinds) != 1 or not kinds <= {torch.float32, torch.float64}:
        raise UnsuitedError("the weights are not all in float32, or all in float64")
    return kinds.pop()


def _sent(numbers: list[Any], place: Tensor) -> list[Any]:
    """The numbers, on their way to a place on the device; does not wait for it."""
    host = torch.tensor(numbers, dtype=place.dtype)
    place.copy_(host.pin_memory() if place.device.type == "cuda" else host, non_blocking=True)
    return numbers
