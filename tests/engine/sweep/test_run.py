"""The order of a sweep and what is told of it meanwhile, with arms that do not train."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.jobs.messages import ReportProgress
from engine.log.directory import RunDirectory
from engine.log.records import Evaluation, Started, State, StateChanged
from engine.log.summary import Tally
from engine.settings import FULL, BatchSize, RunSettings, Variant, VariantSettings
from engine.sweep import run
from engine.sweep.arms import ArmRun, equal_seconds
from engine.sweep.directory import SweepDirectory
from engine.sweep.run import Plan, sweep
from engine.sweep.table import ProbeNote, ProbeResult, Sweep

N = 2000
NOTES = (
    ProbeNote(arm="arm full", text="of full"),
    ProbeNote(arm="arm 1", text="of 1"),
    ProbeNote(text="of all"),
)


@dataclass
class Heard:
    """The messages of a sweep."""

    trained: list[str] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)
    shown: list[Sweep] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    """Rows that had been shown when an arm began."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Arms take a second for the sweep's epochs; the larger, the lower their loss by 0.01."""
    found = Heard()

    def train(directory: RunDirectory, at_least: float, tell: ReportProgress) -> ArmRun:
        (variant,) = directory.info.settings.variants
        found.trained.append(variant.name)
        found.known.append(len(found.shown[-1].rows) if found.shown else 0)
        tell(0.5, "epoch 2 of 4")
        loss = 0.5 - 0.01 * len(found.trained)
        return ArmRun(
            tally(variant),
            epochs=1,
            seconds=1.0,
            losses=[(0.0, 0.9), (1.0, loss)],
            rates=[1e3, 1e3],
        )

    monkeypatch.setattr(run, "train", train)
    monkeypatch.setattr(
        run,
        "probe_arms",
        lambda settings, threads, tell, stored: ProbeResult(
            peak_bytes=(1,) * len(settings.variants), noise=None, notes=NOTES
        ),
    )
    return found


def tally(variant: Variant) -> Tally:
    made = Tally(variant.name, variant.settings)
    made.add(
        Started(
            generation=1, settings=variant.settings, n=N, model="", parameters=11, device="cpu",
            threads=1, epochs=1, pace=None,
        )
    )  # fmt: skip
    for epoch in (0, 1):
        made.add(
            Evaluation(
                generation=1, epoch=epoch, batches=epoch, updates=epoch, samples=epoch * N,
                seconds=epoch, full_loss=0.5,
            )
        )  # fmt: skip
    made.add(StateChanged(generation=1, state=State.FINISHED, wall_time=1.0, detail="", command=0))
    return made


def plan(path: Path, sizes: tuple[BatchSize, ...]) -> Plan:
    arms = tuple(
        Variant(name=f"arm {size}", settings=VariantSettings(batch_size=size)) for size in sizes
    )
    return Plan(
        RunSettings(variants=arms, epochs=1),
        None,
        lambda settings: SweepDirectory.create(path / "sweep", settings, "0"),
    )


def test_the_table_is_shown_as_far_as_it_goes_whenever_an_arm_has_ended(
    heard: Heard, tmp_path: Path
) -> None:
    def tell(share: float, what: str) -> None:
        heard.told.append((share, what))

    table = sweep(plan(tmp_path, (FULL, 128, 1)), tell, heard.shown.append)
    assert heard.trained == ["arm 1", "arm 128", "arm full"]  # the slowest first
    assert heard.known == [0, 1, 2]
    assert [sizes(each) for each in heard.shown] == [
        [1],
        [128, 1],
        [FULL, 128, 1],
    ]  # in the order asked for
    assert [each.recommendation for each in heard.shown] == [None] * 3
    assert [each.target_loss for each in heard.shown] == pytest.approx([0.49, 0.49, 0.49])
    assert sizes(table) == [FULL, 128, 1]
    assert table.recommendation is not None
    assert [what for _, what in heard.told] == [f"{name}, epoch 2 of 4" for name in heard.trained]
    shares = [share for share, _ in heard.told]
    assert shares == sorted(shares)
    assert 0.1 < shares[0] < shares[-1] < 1


def test_an_arm_that_fails_leaves_the_rows_of_the_others(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trains = run.train

    def train(directory: RunDirectory, at_least: float, tell: ReportProgress) -> ArmRun:
        arm = trains(directory, at_least, tell)
        if arm.tally.name in failing:
            failed = StateChanged(generation=1, state=State.FAILED, detail="ValueError: too few")
            arm.tally.add(failed)
        return arm

    failing = ["arm 1", "arm 64"]
    monkeypatch.setattr(run, "train", train)
    table = sweep(
        plan(tmp_path / "a", (FULL, 128, 64, 1)), lambda share, what: None, heard.shown.append
    )
    assert sizes(table) == [FULL, 128]
    assert [(each.name, each.reason) for each in table.failed] == [
        ("arm 64", "failed: ValueError: too few"),
        ("arm 1", "failed: ValueError: too few"),
    ]
    assert table.recommendation is not None
    assert [len(each.failed) for each in heard.shown] == [1, 2, 2, 2]
    assert [each.text for each in NOTES if each.text in table.notes] == ["of full", "of all"]
    failing += ["arm 128", "arm full"]
    table = sweep(plan(tmp_path / "b", (FULL, 128)), lambda share, what: None, heard.shown.append)
    assert (sizes(table), [each.name for each in table.failed]) == ([], ["arm full", "arm 128"])
    assert (table.notes, table.recommendation, table.prediction) == ((), None, None)


def test_an_arm_without_a_place_leaves_the_rows_of_the_others(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "arm-128").write_text("in the way")
    table = sweep(plan(tmp_path, (FULL, 128, 1)), lambda share, what: None, heard.shown.append)
    assert sizes(table) == [FULL, 1]
    (failed,) = table.failed
    assert failed.name == "arm 128"
    assert "arm-128" in failed.reason


def test_full_stands_for_batch_sizes_above_all_samples(heard: Heard, tmp_path: Path) -> None:
    table = sweep(plan(tmp_path, (1, 4000, FULL)), lambda share, what: None, heard.shown.append)
    assert sizes(table) == [1, FULL]
    kept = SweepDirectory.open(tmp_path / "sweep")
    assert [path.name for path in kept.arm_paths] == ["arm-1", "arm-full"]
    assert kept.info.is_complete


def test_a_sweep_counts_as_running_until_it_ends_and_as_incomplete_where_it_breaks(
    heard: Heard, tmp_path: Path
) -> None:
    seen: list[bool] = []

    def tell(table: Sweep) -> None:
        seen.append(SweepDirectory.open(tmp_path / "sweep").is_running)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(plan(tmp_path, (1, 64, FULL)), lambda share, what: None, tell)
    kept = SweepDirectory.open(tmp_path / "sweep")
    assert seen == [True, True]
    assert (kept.is_running, kept.info.is_complete, len(kept.arm_paths)) == (False, False, 2)


def test_a_stall_of_a_later_arm_leaves_every_arm_a_loss_in_equal_seconds() -> None:
    variant = Variant(name="a", settings=VariantSettings())
    first = ArmRun(tally(variant), 1, seconds=2.0, losses=[(0.0, 0.7), (2.0, 0.5)])
    later = ArmRun(tally(variant), 1, seconds=5.0, losses=[(0.0, 0.7), (5.0, 0.6), (9.0, 0.4)])
    assert equal_seconds([]) is None
    assert equal_seconds([first]) == equal_seconds([first, later]) == 2.0
    assert equal_seconds([later]) == 5.0


def sizes(table: Sweep) -> list[Any]:
    return [row.batch_size for row in table.rows]
