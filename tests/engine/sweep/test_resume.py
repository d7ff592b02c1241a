"""A sweep that goes on after its process has ended: arms are read, go on, or are trained again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.checkpoint.store import CheckpointStore
from engine.jobs.messages import ReportProgress
from engine.log.directory import RUN_FILE, RunDirectory
from engine.log.file import MAGIC, LogReader, frame
from engine.log.measurements import NoiseScale
from engine.log.records import Chunk, Resumed, State
from engine.session.past import ResumedRun
from engine.settings import RunSettings, Variant, VariantSettings
from engine.sweep import run
from engine.sweep.arms import ArmRun, earlier_arm, read_arm
from engine.sweep.arms import train as train_arm
from engine.sweep.directory import PROBE_FILE, SweepDirectory
from engine.sweep.run import Plan, sweep
from engine.sweep.table import ProbeNote, ProbeResult

MakeRun = Callable[..., RunDirectory]
NAMES = ("slow", "middle", "fast")
SETTINGS = RunSettings(
    variants=tuple(Variant(name=name, settings=VariantSettings(batch_size=4)) for name in NAMES),
    epochs=2,
)
NOISE = NoiseScale(
    value=16.0, low=8.0, high=float("inf"), trace=1.6, gradient_squared=0.1, samples=64
)
PROBED = ProbeResult(
    peak_bytes=(1, None, 3), noise=NOISE, notes=(ProbeNote(arm="middle", text="too big"),)
)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, make_run: MakeRun, tmp_path: Path) -> list[str]:
    """The arms that are trained, and "probe" when the rest is measured; both are made up.

    An arm that goes on rather than begins is "… goes on".
    """
    names: list[str] = []

    def train(directory: RunDirectory, at_least: float, _: ReportProgress) -> ArmRun:
        (variant,) = directory.info.settings.variants
        goes_on = isinstance(directory, ResumedRun)
        names.append(f"{variant.name} goes on" if goes_on else variant.name)
        directory.custody.release()
        arm = read_arm(make_run(tmp_path / f"made {variant.name}", names=(variant.name,)), 0.0)
        assert arm is not None
        assert arm.seconds >= at_least
        return arm

    def probe(*_: object) -> ProbeResult:
        names.append("probe")
        return PROBED

    monkeypatch.setattr(run, "train", train)
    monkeypatch.setattr(run, "probe_arms", probe)
    return names


@pytest.fixture
def begun(tmp_path: Path) -> SweepDirectory:
    return SweepDirectory.create(tmp_path / "sweep", SETTINGS, "0", 500.0)


def resumed(begun: SweepDirectory, removed: list[str]) -> list[str]:
    """The names of the rows once an interrupted sweep has gone on to its end."""

    def remove(path: Path) -> None:
        removed.append(path.name)
        for file in path.iterdir():
            file.unlink()

    plan = Plan(SETTINGS, None, lambda _: SweepDirectory.open(begun.path), remove_arm=remove)
    table = sweep(plan, lambda *_: None, lambda _: None)
    assert table.failed == ()
    assert SweepDirectory.open(begun.path).info.is_complete
    return [str(row.batch_size) for row in table.rows]


def test_the_arm_that_was_cut_short_goes_on_and_those_to_come_are_trained(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun
) -> None:
    make_run(begun.folder("slow"), names=("slow",))
    make_run(begun.folder("middle"), names=("middle",), state=State.RUNNING, is_ended=False)
    begun.keep_probe(PROBED)
    removed: list[str] = []
    assert len(resumed(begun, removed)) == 3
    assert (trained, removed) == (["middle goes on", "fast"], [])


def test_a_sweep_that_is_complete_trains_and_measures_nothing(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun
) -> None:
    for name, state in zip(NAMES, (State.FINISHED, State.DIVERGED, State.FINISHED), strict=True):
        make_run(begun.folder(name), names=(name,), state=state)
    begun.keep_probe(PROBED)
    assert len(resumed(begun, [])) == 3
    assert trained == []


@pytest.mark.parametrize("state", [State.STOPPED, State.DIED, State.PAUSED, State.RUNNING])
def test_an_arm_that_did_not_come_to_its_end_goes_on(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun, state: State
) -> None:
    make_run(begun.folder("slow"), names=("slow",))
    make_run(begun.folder("fast"), names=("fast",), state=state)
    removed: list[str] = []
    resumed(begun, removed)
    assert (trained, removed) == (["probe", "middle", "fast goes on"], [])


@pytest.mark.parametrize("state", [State.FAILED, State.OUT_OF_MEMORY])
def test_an_arm_that_failed_is_trained_again(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun, state: State
) -> None:
    make_run(begun.folder("slow"), names=("slow",))
    make_run(begun.folder("fast"), names=("fast",), state=state)
    removed: list[str] = []
    resumed(begun, removed)
    assert (trained, removed) == (["probe", "middle", "fast"], ["fast"])


def test_an_arm_that_cannot_be_read_is_trained_again(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun
) -> None:
    make_run(begun.folder("slow"), names=("slow",))
    make_run(begun.folder("middle"), names=("middle",)).variant_log("middle").write_bytes(b"no log")
    (make_run(begun.folder("fast"), names=("fast",)).path / RUN_FILE).write_bytes(b"{")
    removed: list[str] = []
    resumed(begun, removed)
    assert (trained, removed) == (["probe", "middle", "fast"], ["middle", "fast"])


def test_an_arm_that_was_trained_for_too_short_a_time_goes_on(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun
) -> None:
    make_run(begun.folder("slow"), names=("slow",), epochs=2)  # an epoch takes a second
    make_run(begun.folder("middle"), names=("middle",), epochs=1)
    make_run(begun.folder("fast"), names=("fast",), epochs=3)
    resumed(begun, [])
    assert trained == ["probe", "middle goes on"]


def test_runs_that_were_there_before_the_sweep_are_left_alone(
    begun: SweepDirectory, trained: list[str], make_run: MakeRun
) -> None:
    """A new sweep in a directory of the user's, which has a run of the same name."""
    make_run(begun.folder("fast"), names=("fast",))
    plan = Plan(SETTINGS, None, lambda _: begun, remove_arm=lambda path: pytest.fail(str(path)))
    table = sweep(plan, lambda *_: None, lambda _: None)
    assert [arm.name for arm in table.failed] == ["fast"]
    assert "already holds a run" in table.failed[0].reason


def test_an_arm_that_goes_on_has_the_losses_of_one_that_was_never_killed(tmp_path: Path) -> None:
    # An epoch of many batches, since a checkpoint at its end waits for half a second.
    variant = Variant(name="fast", settings=VariantSettings(batch_size=2, momentum=0.9, lr=1e-3))
    settings = RunSettings(
        variants=(variant,), epochs=4, measuring=False, threads=1, checkpoint_every=0.001
    )
    directory = SweepDirectory.create(tmp_path / "sweep", settings, "0")
    run = directory.new_arm(settings)
    undisturbed = train_arm(run, 0.0, lambda *_: None)
    expected = losses_of(run)
    cut(run)
    directory.is_resumed = True
    resumed = earlier_arm(directory, variant, 0.0, None)
    assert isinstance(resumed, ResumedRun)
    found = train_arm(resumed, 0.0, lambda *_: None)
    assert losses_of(run) == expected
    assert (found.loss, found.tally.state) == (undisturbed.loss, State.FINISHED)
    assert len(found.losses) == len(undisturbed.losses)
    (noted,) = [each for each in LogReader(run.variant_log("fast")) if isinstance(each, Resumed)]
    assert (noted.differing, noted.refused) == (0, ())
    assert 0 < noted.checkpoint < noted.batches


def losses_of(run: RunDirectory) -> bytes:
    log = LogReader(run.variant_log("fast"))
    return b"".join(record.losses for record in log if isinstance(record, Chunk))


def cut(run: RunDirectory) -> None:
    """Cut the log as a kill near the end would have left it, with earlier checkpoints only."""
    log, done, kept = run.variant_log("fast"), 0, MAGIC
    for record in LogReader(log):
        done = record.batch - 1 + record.batches if isinstance(record, Chunk) else done
        if done > 3_500:
            break
        kept += frame(record)
    log.write_bytes(kept)
    for stored in CheckpointStore(log).stored():
        if stored.batches > 2_500:
            stored.path.unlink()


def test_the_measurements_besides_training_are_kept_with_their_infinities(
    begun: SweepDirectory,
) -> None:
    assert begun.probe is None
    begun.keep_probe(PROBED)
    kept = SweepDirectory.open(begun.path)
    assert (kept.probe, kept.info.memory_limit_mb) == (PROBED, 500.0)
    for rubbish in (b"", b"\x81", b"\xc1", b"\x91" * 100_000):
        (begun.path / PROBE_FILE).write_bytes(rubbish)
        assert kept.probe is None
    begun.keep_probe(ProbeResult(peak_bytes=(1,), noise=None))  # of a sweep with another arm
    assert kept.probe is None
