"""The problem's own scheduler: any of torch's, made for the optimiser and stepped after updates."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import lr_scheduler

from engine.problem import Problem
from engine.settings import SettingsError


class OwnSchedule:
    """A scheduler at the lr that it was made for; another lr in force scales what it says."""

    def __init__(
        self, problem: Problem, optimizer: torch.optim.Optimizer, lr: float, updates: int, done: int
    ) -> None:
        """`updates`: planned. `done`: those already done, which it begins after.

        Raises SettingsError for a problem without a scheduler, or with something else.
        """
        self._optimizer = optimizer
        self._made_for, self._planned, self._steps = lr, updates, 0
        for group in optimizer.param_groups:
            group.pop("initial_lr", None)  # of a scheduler before
        self._scheduler = _made(problem, optimizer, updates)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the optimiser's steps were done before
            for _ in range(done):
                self.advance()

    def advance(self) -> None:
        """Go on by one update; at its end the lr stays as it is."""
        self._steps += 1
        try:
            self._scheduler.step()
        except ValueError:  # OneCycleLR has an end
            if self._scheduler.last_epoch <= 0:
                raise

    def state(self) -> dict[str, Any]:
        """The facts from which `restored` makes an equal schedule, beside the optimiser's state."""
        return {
            "made_for": self._made_for,
            "planned": self._planned,
            "steps": self._steps,
            "scheduler": self._scheduler.state_dict(),
        }

    @classmethod
    def restored(
        cls, problem: Problem, optimizer: torch.optim.Optimizer, state: Mapping[str, Any]
    ) -> "OwnSchedule":
        """The schedule with this state; `optimizer` has the lr that it was made for.

        Without the scheduler's own state, which may hold what is not plain data, it is stepped.
        """
        kept = state["scheduler"]
        steps = 0 if kept is not None else state["steps"]
        made = cls(problem, optimizer, state["made_for"], state["planned"], steps)
        if kept is not None:
            made._scheduler.load_state_dict(kept)
            made._steps = state["steps"]
        return made

    def step(self, step: Callable[[], object], lr: float) -> None:
        """Step the optimiser, for the lr of the settings, then the scheduler."""
        groups, factor = self._optimizer.param_groups, lr / self._made_for
        own = [group["lr"] for group in groups]
        for group in groups:
            group["lr"] = group["lr"] * factor
        step()
        for group, before in zip(groups, own, strict=True):  # it may go on from there
            group["lr"] = before
        self.advance()

    def lr(self, lr: float) -> float:
        """The first group's lr of the update at hand, for the lr of the settings."""
        return float(self._optimizer.param_groups[0]["lr"]) * (lr / self._made_for)


def require_scheduler(problem: Problem) -> Callable[..., lr_scheduler.LRScheduler]:
    """The function that makes the problem's scheduler; SettingsError without one."""
    if problem.scheduler is None:
        raise SettingsError(
            "schedule 'own': this problem defines none; choose constant, cosine, linear or wsd"
        )
    return problem.scheduler


def _made(
    problem: Problem, optimizer: torch.optim.Optimizer, updates: int
) -> lr_scheduler.LRScheduler:
    make = require_scheduler(problem)
    parameters = inspect.signature(make).parameters.values()
    takes = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    wants_updates = any(p.name == "updates" or p.default is p.empty for p in takes[1:2])
    made = make(optimizer, updates) if wants_updates else make(optimizer)
    if isinstance(made, lr_scheduler.ReduceLROnPlateau):
        raise SettingsError(
            "the problem's scheduler is ReduceLROnPlateau, which waits for measured losses; use "
            "one that goes by updates"
        )
    if not isinstance(made, lr_scheduler.LRScheduler):
        raise SettingsError(
            "the problem's scheduler must return one of torch.optim.lr_scheduler, not "
            f"{type(made).__name__}"
        )
    return made
