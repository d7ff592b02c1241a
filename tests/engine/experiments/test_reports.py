"""Whole experiments, made small: what a report says, and that progress is told on the way."""

import sys

import msgspec
import pytest
import torch

from engine.experiments import registry
from engine.experiments.claims import (
    accumulation,
    flat_generalises,
    grow_batch,
    linear_scaling,
    saddle,
    sharp_minimum,
)
from engine.experiments.report import Arm, Report, Verdict
from engine.settings import FULL, SettingsError

CPU = torch.device("cpu")


def run(name: str, seeds: int = 2) -> Report:
    told: list[float] = []
    report = registry.run(name, range(seeds), CPU, lambda share, what: told.append(share))
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert report.experiment == name
    assert report.seeds == seeds
    assert all(len(arm.per_seed) == seeds for arm in report.arms)
    return report


def test_every_listing_is_an_experiment_of_its_own() -> None:
    names = [listing.name for listing in registry.LISTINGS]
    assert names == [
        "saddle",
        "sharp-minimum",
        "flat-generalises",
        "linear-scaling",
        "grow-batch",
        "accumulation",
    ]
    with pytest.raises(SettingsError, match="saddle"):
        registry.find("sadle")


def test_the_registry_loads_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    code = "import sys, engine.experiments.job; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_with_two_seeds_nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saddle, "UPDATES", 10)
    assert run("saddle").verdict is Verdict.UNDECIDED


def test_a_claim_that_does_not_hold_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharp_minimum, "NOISE", 0.1)  # too little for anybody to get out
    monkeypatch.setattr(sharp_minimum, "UPDATES", 50)
    report = run("sharp-minimum", seeds=20)
    assert [arm.escaped for arm in report.arms] == [0, 0, 0, 0]
    assert report.verdict is Verdict.NOT_SUPPORTED
    assert "does not hold" in report.meaning
    assert "lr × curvature is 0.5" in report.notes[0]


def test_the_gap_is_the_widest_between_the_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_scaling, "SIZES", (FULL, 64, 50))
    monkeypatch.setattr(linear_scaling, "EPOCHS", 2)
    report = run("linear-scaling")
    assert [arm.name for arm in report.arms] == ["none", "linear", "sqrt"]
    none = report.arm("none")
    final = {figure.name: figure.value for figure in none.figures}
    gap = final["final loss, batch size full"] - final["final loss, batch size 50"]
    assert none.value == pytest.approx(gap)  # the curves part, so it is widest at the end
    assert report.arm("linear").value < report.arm("sqrt").value < none.value


def test_a_grown_batch_does_fewer_updates_and_ends_where_a_decayed_lr_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grow_batch, "BATCH", 64)
    monkeypatch.setattr(grow_batch, "LR", 2.0)
    monkeypatch.setattr(grow_batch, "EPOCHS", 6)
    monkeypatch.setattr(grow_batch, "MILESTONES", (2, 4))
    report = run("grow-batch")
    updates = [_figure(arm, "updates") for arm in report.arms]
    # 2,000 samples in batches of 64, then 320, then 1,600: two epochs of each.
    assert updates == [6 * 32, 2 * (32 + 7 + 2), 6 * 32]
    assert _figure(report.arm("grow batch"), "gap to decay lr") < 0.01
    assert report.arm("neither").value != report.arm("decay lr").value
    assert grow_batch.verdict_of((0.0, 1.0), 2.0) is Verdict.SUPPORTED
    assert grow_batch.verdict_of((3.0, 4.0), 2.0) is Verdict.NOT_SUPPORTED
    assert grow_batch.verdict_of((1.0, 3.0), 2.0) is Verdict.UNDECIDED


def test_accumulation_gives_the_same_curve_in_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulation, "EPOCHS", 2)
    monkeypatch.setattr(accumulation, "ARMS", ((512, 1), (64, 8)))
    report = run("accumulation")
    assert report.verdict is Verdict.SUPPORTED
    assert report.arms[1].interval[1] < 1e-13
    peaks = [_figure(arm, "peak memory") for arm in report.arms]
    assert peaks[1] < 0.7 * peaks[0]


def test_accumulation_that_changes_the_curve_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulation, "EPOCHS", 1)
    monkeypatch.setattr(accumulation, "ARMS", ((512, 1), (64, 7)))
    assert run("accumulation").verdict is Verdict.NOT_SUPPORTED


def test_flat_generalises_compares_at_equal_epochs_and_at_equal_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(flat_generalises, "SIZES", (50, 10))
    monkeypatch.setattr(flat_generalises, "EPOCHS", 10)
    monkeypatch.setattr(flat_generalises, "LEVEL", 1.5)
    report = run("flat-generalises")
    assert [arm.batch_size for arm in report.arms] == [50, 10]
    for arm in report.arms:
        assert _figure(arm, "sharpness") > 0
        assert -0.1 < arm.value < 1
        assert _figure(arm, "sharpness at training loss 1.5") > 0
    assert report.notes[1].startswith(
        "The same comparison when each seed's training loss first fell to 1.5"
    )


def test_a_loss_that_was_never_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(flat_generalises, "EPOCHS", 1)
    assert "Not every arm" in run("flat-generalises").notes[1]


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(
        SettingsError, match="flat-generalises needs scikit-learn: python -m pip install"
    ):
        registry.run("flat-generalises", range(2), CPU, lambda share, what: None)


def test_json_is_what_the_readme_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saddle, "UPDATES", 10)
    counted = msgspec.json.decode(msgspec.json.encode(run("saddle")))
    assert {"experiment", "claim", "verdict", "seeds", "arms"} <= counted.keys()
    assert [arm["batch_size"] for arm in counted["arms"]] == ["full", 64, 1]
    for arm in counted["arms"]:
        assert isinstance(arm["escaped"], int)
        assert "value" not in arm
        low, high = arm["interval"]
        assert 0 <= low <= high <= 1
    monkeypatch.setattr(accumulation, "EPOCHS", 1)
    monkeypatch.setattr(accumulation, "ARMS", ((512, 1), (256, 2)))
    valued = msgspec.json.decode(msgspec.json.encode(run("accumulation")))
    for arm in valued["arms"]:
        assert isinstance(arm["value"], float)
        assert "escaped" not in arm


def _figure(arm: Arm, name: str) -> float:
    return next(figure.value for figure in arm.figures if figure.name == name)
