"""Exports of imported exports have the same bytes, whatever was trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_bench import exported, records

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import Chunk, End, Record, Started
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings
from engine.training.schedule import cut, epoch_end
from gdtui.export.csv_import.write import import_csv
from gdtui.history import History

MakeRun = Callable[..., RunDirectory]
N = 23
"""Samples an epoch in made-up runs."""

SETTINGS = st.builds(
    VariantSettings,
    batch_size=st.sampled_from(["full", 1, 2, 4, 5, 16, 22]),
    lr=st.sampled_from([0.01, 0.1 + 0.2, 1e-5]),
    accumulation_steps=st.sampled_from([1, 1, 2, 3]),
    drop_last=st.booleans(),
)


def generation_of(data: st.DataObject, number: int) -> list[Record]:
    """Records as training would write them: epochs in chunks of any length, one change."""
    first, second = data.draw(SETTINGS), data.draw(SETTINGS)
    change_at = data.draw(st.integers(0, 40))
    written: list[Record] = [
        Started(generation=number, settings=first, n=N, model="m", parameters=1, device="cpu",
                threads=1, epochs=3, pace=None)
    ]  # fmt: skip
    batch = update = samples = 0
    seconds = data.draw(st.sampled_from([0.0, 0.0, 3.7, 12_345.678901234]))
    in_force = first
    for epoch in range(1, data.draw(st.integers(1, 4)) + 1):
        place = 0
        while True:
            resolved = in_force.resolve(N)
            end = epoch_end(place, N, resolved, drop_last=in_force.drop_last)
            batches = list(cut(place, end, resolved))
            changes = False
            while batches and not changes:
                wanted = data.draw(st.integers(1, 9))
                part = batches[:wanted]
                if in_force is first and batch + len(part) >= change_at:
                    closing = [k for k, each in enumerate(part) if each.closes_group]
                    if closing:
                        part, changes = part[: closing[0] + 1], True
                del batches[: len(part)]
                count = len(part)
                losses = np.array(
                    data.draw(st.lists(st.floats(width=32), min_size=count, max_size=count)), "<f4"
                )
                duration = data.draw(st.floats(1e-7, 0.3)) * count
                written.append(
                    Chunk(
                        generation=number,
                        epoch=epoch,
                        batch=batch + 1,
                        update=update + 1,
                        in_update=part[0].in_update,
                        samples=samples,
                        seconds=seconds,
                        duration=duration,
                        batch_size=resolved.batch_size,
                        last_batch_size=part[-1].size,
                        accumulation_steps=resolved.accumulation_steps,
                        lr=resolved.lr,
                        losses=losses.tobytes(),
                    )
                )
                batch += count
                update += sum(each.closes_group for each in part)
                samples += sum(each.size for each in part)
                place = part[-1].stop
                seconds += duration
            if not changes:
                break
            in_force = second
    return written


def places_in_updates(run: RunDirectory) -> list[int]:
    """Batches of the same update before each batch; no column says so."""
    return [
        (chunk.in_update + k) % chunk.accumulation_steps
        for chunk in records(run, Chunk)
        if isinstance(chunk, Chunk)
        for k in range(chunk.batches)
    ]


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_export_imported_exports_the_same_bytes(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("inverse")
    names = data.draw(
        st.lists(
            st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in names)
    run = RunDirectory.create(folder / "one", RunSettings(variants=variants), "0")
    counts = {}
    for name in names:
        with LogWriter(run.variant_log(name)) as log:
            for number in range(1, data.draw(st.integers(1, 3)) + 1):
                for record in generation_of(data, number):
                    log.append(record)
                    counts[name] = counts.get(name, 0) + isinstance(record, Chunk)
            log.append(End())
    csv = exported(run)
    if not all(counts.values()):
        return  # drop_last dropped everything: a variant without a row is not in the CSV
    (folder / "one.csv").write_bytes(csv)
    import_csv(str(folder / "one.csv"), folder / "two", "0")
    again = RunDirectory.open(folder / "two")
    assert exported(again) == csv
    assert places_in_updates(again) == places_in_updates(run)
    assert Follower(again).unfinished() == names
    for name in names:  # what the screen does with it
        history = History(N)
        for about, record in Follower(again).read():
            if about == name and isinstance(record, Started):
                history = History(N)
            elif about == name and isinstance(record, Chunk):
                history.append(record)


def test_the_fixtures_runs_are_the_same_again(
    make_run: MakeRun, imported: Callable[[bytes], RunDirectory]
) -> None:
    run = make_run(names=('Comma, "quoted"', "×"), epochs=7)
    again = imported(exported(run))
    assert exported(again) == exported(run)
    assert [variant.name for variant in again.info.settings.variants] == ['Comma, "quoted"', "×"]
    assert not Follower(again).damage


def test_long_straight_stretches_stay_few_chunks(imported: Callable[[str], RunDirectory]) -> None:
    rows = "".join(f"a,{k + 1},{k * 1e-5:.9f},{k}\n" for k in range(20_000))
    assert len(records(imported("variant,batch,seconds,loss\n" + rows), Chunk)) <= 12


def test_uneven_seconds_become_even_rather_than_a_chunk_a_batch(
    tmp_path: Path,
) -> None:
    seconds = np.cumsum(np.random.default_rng(0).exponential(1e-5, 2_000))
    rows = "".join(f"a,{k + 1},{at:.9f},{k}\n" for k, at in enumerate(seconds))
    (tmp_path / "in.csv").write_text("variant,batch,seconds,loss\n" + rows)
    import_csv(str(tmp_path / "in.csv"), tmp_path / "run", "0", most_chunks=50)
    run = RunDirectory.open(tmp_path / "run")
    assert len(records(run, Chunk)) <= 2_000 / 32 + 1
    found = np.array([row.split(b",")[6] for row in exported(run).splitlines()[1:]], float)
    assert np.abs(found - seconds).max() < 1e-3
    assert np.all(found[::32] == np.round(seconds[::32], 9))
