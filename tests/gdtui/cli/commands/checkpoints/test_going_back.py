"""`gdtui fork` and `gdtui rewind` of a run that has ended: what they note in its logs, refusals."""

from pathlib import Path
from typing import Any

import click
import pytest
from command_lines import context
from msgspec.structs import replace
from plain_chunks import plain_chunk

from engine.log.directory import SWEEP_FILE, RunDirectory
from engine.log.records import Changed, Point, Started, VariantAdded, VariantRemoved
from engine.log.writing.added import add_variant
from engine.log.writing.writer import LogWriter
from engine.session.past import PastVariant, ResumedRun, read_past
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.cli.commands.checkpoints import going_back

SETTINGS = VariantSettings(batch_size=10, accumulation_steps=2)
LATER = replace(SETTINGS, lr=0.5)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run of two variants that have trained 8 batches, the first with another lr from 5 on."""
    variants = tuple(Variant(name=name, settings=SETTINGS) for name in ("A", "B"))
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    LogWriter(run.session_log).close()
    for name in ("A", "B"):
        with LogWriter(run.variant_log(name)) as log:
            log.append(Started(
                generation=1, settings=SETTINGS, n=2_000, model="m", parameters=1, device="cpu",
                threads=3, epochs=4, pace=None,
            ))  # fmt: skip
            for first in (1, 5):
                if (name, first) == ("A", 5):
                    log.append(Changed(
                        generation=1, settings=LATER, epoch=1, batch=5, update=3, samples=40,
                        seconds=0.2,
                    ))  # fmt: skip
                chunk = plain_chunk(first, 4, size=10)
                log.append(replace(chunk, update=(first + 1) // 2, accumulation_steps=2))
    run.custody.release()
    monkeypatch.setattr(going_back, "train_run", lambda ctx, run, **_: gone_on(run))
    return run


def gone_on(run: ResumedRun) -> int:
    run.custody.release()
    return 7


def invoke(run: RunDirectory, line: str) -> int:
    command, _, rest = line.partition(" ")
    ctx = context([command, str(run.path), *rest.split()])
    return int(ctx.command.invoke(ctx))


def past(run: RunDirectory) -> dict[str, PastVariant]:
    return {each.variant.name: each for each in read_past(RunDirectory.open(run.path)).variants}


def test_a_fork_is_a_new_variant_of_the_run(run: RunDirectory, capsys: Any) -> None:
    assert invoke(run, "fork --variant A --at 7 --batch-size 40 --quiet") == 7
    found = past(run)["A 2"]
    assert found.origin == Point(variant="A", batches=7)
    assert found.variant.settings == replace(LATER, batch_size=40)
    assert found.threads == 3
    told = capsys.readouterr().err.splitlines()
    assert "batch 7 lies within an update; batch 6 is the last" in told[0]
    assert told[1:] == ["gdtui fork: A 2 begins after batch 6 of A"]
    assert invoke(run, "fork --variant 1 --at 4 --name wide") == 7
    assert past(run)["wide"].variant.settings == LATER  # in force from the next batch on
    assert invoke(run, "fork --variant 1 --at 2 --name wide") == 7
    assert past(run)["wide 2"].variant.settings == SETTINGS


def test_a_rewind_keeps_the_settings_now_in_force(run: RunDirectory) -> None:
    assert invoke(run, "rewind --variant A --at 2 --momentum 0.5") == 7
    found = past(run)["A"]
    assert found.origin == Point(batches=2)
    assert found.variant.settings == replace(LATER, momentum=0.5)
    assert past(run)["B"].origin is None


def test_a_rewind_takes_a_removed_variant_in_again(run: RunDirectory) -> None:
    with LogWriter(run.session_log) as log:
        log.append(VariantRemoved(variant="B"))
    assert past(run)["B"].is_removed
    assert invoke(run, "rewind --variant B --at 2") == 7
    assert not past(run)["B"].is_removed


def test_a_run_of_a_sweep_has_one_variant(run: RunDirectory) -> None:
    (run.path.parent / SWEEP_FILE).touch()
    with pytest.raises(click.UsageError, match="belongs to a sweep"):
        invoke(run, "fork --variant B --at 2")


@pytest.mark.parametrize("command", ["fork", "rewind"])
@pytest.mark.parametrize(
    ("options", "trouble"),
    [
        ("--variant C --at 2", "unknown variant 'C'; variants: 1 A, 2 B"),
        ("--at 2", "--variant is required: 1 A, 2 B"),
        ("--variant A --at 9", "A has trained 8 batches so far, not 9"),
        ("--variant A --at 2 --lr 0", "lr 0: expected a finite number above 0"),
        ("--variant A --at 2 --optimizer nosuch", "unknown optimizer 'nosuch'"),
    ],
)
def test_refusals_take_a_line(run: RunDirectory, command: str, options: str, trouble: str) -> None:
    with pytest.raises(click.UsageError, match=trouble):
        invoke(run, f"{command} {options}")


def test_no_such_run(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="holds no run"):
        invoke(RunDirectory(tmp_path, None), "fork --at 1")  # type: ignore[arg-type]


def test_nine_variants_are_enough_unless_one_was_removed(run: RunDirectory) -> None:
    for k in range(7):
        add_variant(run, Variant(name=f"more {k}", settings=SETTINGS))
    with pytest.raises(click.UsageError, match="there are 9 variants already"):
        invoke(run, "fork --variant A --at 2")
    assert len(past(run)) == 9
    with LogWriter(run.session_log) as log:
        log.append(VariantAdded(variant="more 1", settings=SETTINGS))
        log.append(VariantRemoved(variant="more 1"))
    assert invoke(run, "fork --variant A --at 2") == 7
    assert past(run)["more 1"].is_removed
