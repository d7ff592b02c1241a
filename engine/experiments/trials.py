"""The trials of an experiment: each arm with each seed, and which of them failed.

A seed that fails in one arm is left out of all, since arms are compared seed by seed. An arm in
which hardly a seed is left, or that raises an exception, is left out as a whole.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final, Generic, TypeVar

import torch
from msgspec.structs import replace
from torch import Tensor

from engine.experiments.arm_store import ArmStore
from engine.experiments.registry import LEAST_SEEDS
from engine.experiments.report import FailedTrials, Report, Verdict
from engine.jobs.messages import JobError
from engine.settings import SettingsError

T = TypeVar("T")

_NOT_FINITE: Final = "the result is not finite"


class Trials(Generic[T]):
    """Trains the arms one after the other. `ends` are complete once `kept` has been read."""

    def __init__(
        self, seeds: Sequence[int], store: ArmStore | None = None, kinds: Sequence[type] = ()
    ) -> None:
        """`store`: the results that are kept. `kinds`: the dataclasses in the results."""
        self._seeds, self._store, self._kinds = seeds, store, kinds
        self._reasons: dict[str, dict[int, str]] = {}
        """By arm, the reason of each seed that failed, by its place among the seeds."""
        self.ends: dict[str, T] = {}
        """The results of the arms that did not fail, by name."""

    def train(
        self, arm: str, work: Callable[[], T], values: Callable[[T], Iterable[Tensor]]
    ) -> None:
        """Train an arm with all seeds.

        `values` are tensors (S, …) of the result; a seed has failed if one of its values is not
        finite. After an exception the arm has failed, except for a SettingsError, which is raised.
        """
        kept = None if self._store is None else self._store.read(arm, self._kinds)
        try:
            end: T = work() if kept is None else kept
            sound = [torch.isfinite(each.reshape(len(each), -1)).all(1) for each in values(end)]
        except SettingsError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            self._reasons[arm] = dict.fromkeys(range(len(self._seeds)), reason)
            return
        bad = (~torch.stack(sound).all(0)).nonzero().flatten().tolist()
        self._reasons[arm] = dict.fromkeys(bad, _NOT_FINITE)
        if len(self._seeds) - len(bad) >= LEAST_SEEDS:
            self.ends[arm] = end
        if self._store is not None and kept is None:
            with contextlib.suppress(OSError):  # the disk is full: a later process trains it again
                self._store.keep(arm, end)

    @cached_property
    def kept(self) -> list[int]:
        """Places of the seeds that failed in no arm; JobError if there are fewer than two."""
        failed = {place for arm in self.ends for place in self._reasons[arm]}
        kept = [place for place in range(len(self._seeds)) if place not in failed]
        if not self.ends or len(kept) < LEAST_SEEDS:
            raise JobError(f"no verdict can be given: {'; '.join(map(str, self.failed))}")
        return kept

    @property
    def failed(self) -> tuple[FailedTrials, ...]:
        """The trials that failed, by arm and reason."""
        found: dict[tuple[str, str], list[int]] = {}
        for arm, reasons in self._reasons.items():
            for place, reason in reasons.items():
                found.setdefault((arm, reason), []).append(self._seeds[place])
        return tuple(
            FailedTrials(arm=arm, seeds=tuple(seeds), is_whole=arm not in self.ends, reason=reason)
            for (arm, reason), seeds in found.items()
        )

    def verdict(self, rule: Callable[[], Verdict], needs: Iterable[str]) -> Verdict:
        """The verdict by this rule; NOT_GIVEN if an arm that it needs has failed."""
        return rule() if all(arm in self.ends for arm in needs) else Verdict.NOT_GIVEN

    def complete(self, report: Report) -> Report:
        """The report with the trials that failed, and with what the verdict rests on."""
        if not self.failed:
            return report
        missing = [arm for arm in self._reasons if arm not in self.ends]
        without = f" without arm {', '.join(missing)}" if missing else ""
        if report.verdict is Verdict.NOT_GIVEN:
            meaning = f"No verdict can be given{without}."
        else:
            seeds = f"{len(self.kept)} of {len(self._seeds)} seeds"
            meaning = f"{report.meaning} This rests on {seeds}{',' * bool(without)}{without}."
        return replace(report, failed=self.failed, meaning=meaning)
