"""Seeds and arms of an experiment that fail: the others' figures, and what the verdict rests on."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.experiments import registry
from engine.experiments.claims import (
    accumulation,
    flat_generalises,
    grow_batch,
    linear_scaling,
    saddle,
    sharp_minimum,
)
from engine.experiments.report import Report, Verdict
from engine.experiments.trials import Trials
from engine.jobs.messages import JobError
from engine.settings import FULL, SettingsError

SMALL: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "saddle": (saddle, {"UPDATES": 5}, ("full", "64", "1")),
    "sharp-minimum": (sharp_minimum, {"UPDATES": 5}, ("full", "64", "8", "1")),
    "flat-generalises": (flat_generalises, {"EPOCHS": 1, "SIZES": (FULL, 50)}, ("full", "50")),
    "linear-scaling": (linear_scaling, {"EPOCHS": 1, "SIZES": (FULL, 500)}, ("full", "500")),
    "grow-batch": (grow_batch, {"EPOCHS": 1, "BATCH": 500}, ("decay lr", "grow batch", "neither")),
    "accumulation": (
        accumulation, {"EPOCHS": 1, "ARMS": ((512, 1), (256, 2))}, ("512 × 1", "256 × 2"),
    ),
}  # fmt: skip
"""Each experiment made small, and the arms that it trains."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Run a small experiment with three seeds and `spoil(arm, result)` applied to every arm."""

    def run_small(name: str, spoil: Callable[[str, Any], None]) -> Report:
        module, changed, _ = SMALL[name]
        for attribute, value in changed.items():
            monkeypatch.setattr(module, attribute, value)
        trains = Trials.train

        def train(
            self: Trials[Any],
            arm: str,
            work: Callable[[], Any],
            values: Callable[[Any], Iterable[Tensor]],
        ) -> None:
            def spoiled() -> Any:
                end = work()
                spoil(arm, end.curves if name == "accumulation" else [*values(end)])
                return end

            trains(self, arm, spoiled, values)

        monkeypatch.setattr(Trials, "train", train)
        return registry.run(name, (4, 5, 6), torch.device("cpu"), lambda share, what: None)

    return run_small


def spoil_seed(arm: str, values: list[Any]) -> None:
    """Make the second seed's result NaN."""
    if isinstance(values[0], Tensor):
        values[0][1] = math.nan
    else:
        values[1][0] = math.nan


@pytest.mark.parametrize("name", SMALL)
def test_a_seed_that_fails_in_one_arm_is_left_out_of_all(
    name: str, run: Callable[..., Report]
) -> None:
    if name == "flat-generalises":
        pytest.importorskip("sklearn")
    bad = SMALL[name][2][-1]
    report = run(name, lambda arm, values: spoil_seed(arm, values) if arm == bad else None)
    assert report.seeds == 2
    assert {len(arm.per_seed) for arm in report.arms} == {2}
    assert all(math.isfinite(value) for arm in report.arms for value in arm.per_seed)
    assert [str(each) for each in report.failed] == [
        f"arm {bad}, seed 5: failed: the result is not finite"
    ]
    assert report.meaning.endswith(" This rests on 2 of 3 seeds.")
    assert report.verdict is not Verdict.NOT_GIVEN


@pytest.mark.parametrize("name", SMALL)
def test_without_an_arm_that_the_rule_needs_no_verdict_is_given(
    name: str, run: Callable[..., Report]
) -> None:
    if name == "flat-generalises":
        pytest.importorskip("sklearn")
    bad = SMALL[name][2][-1]

    def spoil(arm: str, values: object) -> None:
        if arm == bad:
            raise RuntimeError("CUDA out of\nmemory")

    report = run(name, spoil)
    assert report.verdict is Verdict.NOT_GIVEN
    assert report.meaning == f"No verdict can be given without arm {bad}."
    assert [str(each) for each in report.failed] == [
        f"arm {bad}: failed: RuntimeError: CUDA out of memory"
    ]
    assert report.arms
    assert report.seeds == 3
    assert all(arm.name != bad for arm in report.arms)


def test_a_verdict_that_does_not_need_the_arm_says_so(run: Callable[..., Report]) -> None:
    def spoil(arm: str, values: list[Tensor]) -> None:
        if arm == "64":
            values[0][:] = math.nan

    report = run("saddle", spoil)
    assert [arm.name for arm in report.arms] == ["full", "1"]
    assert report.verdict is Verdict.UNDECIDED
    assert report.meaning.endswith(" This rests on 3 of 3 seeds, without arm 64.")


def test_with_fewer_than_two_seeds_the_reasons_are_all_there_is(
    run: Callable[..., Report],
) -> None:
    def spoil(arm: str, values: list[Tensor]) -> None:
        values[0][{"full": 0, "64": 1, "1": 2}[arm]] = math.nan

    with pytest.raises(JobError, match="no verdict can be given: arm full, seed 4: failed: the"):
        run("saddle", spoil)


def test_a_package_that_is_missing_ends_the_experiment() -> None:
    def work() -> Tensor:
        raise SettingsError("needs scikit-learn")

    with pytest.raises(SettingsError, match="scikit-learn"):
        Trials((0, 1)).train("full", work, lambda end: [end])
