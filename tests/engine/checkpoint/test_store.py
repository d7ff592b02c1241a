"""Checkpoints on disk: kills at every step of writing, flipped bits, hostile files, thinning."""

import contextlib
import os
import pickle
import random
import resource
import stat
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lineage import origin, started
from msgspec import structs
from torch import nn

import engine.checkpoint.file as checkpoint_file
from engine.checkpoint.checkpoint import Checkpoint, capture
from engine.checkpoint.file import MAGIC, CheckpointError, read_checkpoint, write_checkpoint
from engine.checkpoint.store import CheckpointStore, checkpoints_of
from engine.checkpoint.thinning import MOST_KEPT, surplus
from engine.log.format import CHECKPOINTS
from engine.log.lineage.past import Past
from engine.log.lineage.points import Stretch
from engine.problem import Problem
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

KILLS = 500


def trainer(optimizer: str = "adamw") -> Trainer:
    generator = torch.Generator().manual_seed(0)
    inputs, target = torch.randn(40, 3, generator=generator), torch.randn(40, 1)
    problem = Problem(train=(inputs, target), model=lambda: nn.Linear(3, 1), loss=nn.MSELoss())
    settings = VariantSettings(batch_size=4, optimizer=optimizer)
    return Trainer(problem, settings, 0, torch.device("cpu"), epochs=100)


@pytest.fixture(scope="module")
def checkpoints() -> list[Checkpoint]:
    """Some checkpoints of one training, in order."""
    training, taken = trainer(), []
    for _ in range(5):
        training.advance(2)
        taken.append(capture(training))
    return taken


def same(a: Checkpoint, b: Checkpoint) -> bool:
    return a.header == b.header and all(
        torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors
    )


# --- Kills --------------------------------------------------------------------------------------


class KilledError(BaseException):
    """The end of the writing process."""


class Steps:
    """Ends the writing at the `last`-th step, perhaps amid a write; nothing is done after it."""

    def __init__(self, last: int, share: float) -> None:
        self._left = last
        self._share = share

    def step(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self._count()
            return do(*args, **options)

        return counted

    def _count(self) -> None:
        self._left -= 1
        if self._left == -1:
            raise KilledError
        if self._left < 0:
            raise OSError("a dead process does nothing")

    @contextlib.contextmanager
    def opened(self, *args: Any, **options: Any) -> Iterator[Any]:
        with OPENED(*args, **options) as file:
            yield SteppedFile(file, self)

    def write(self, file: Any, data: Any) -> None:
        try:
            self._count()
        except KilledError:
            os.write(file.fileno(), data[: int(self._share * len(data))])
            raise
        os.write(file.fileno(), data)


class SteppedFile:
    def __init__(self, file: Any, steps: Steps) -> None:
        self._file, self._steps = file, steps
        self.flush, self.fileno = file.flush, file.fileno

    def write(self, data: Any) -> None:
        self._steps.write(self._file, data)


OPENED = checkpoint_file.opened


class CountedBytes(Steps):
    """Counts the bytes in a directory before each step of writing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(10**9, 1.0)
        self._folder = folder
        self.most = 0

    def _count(self) -> None:
        self.most = max(self.most, sum(each.stat().st_size for each in self._folder.iterdir()))


def write_and_die(
    store: CheckpointStore, checkpoint: Checkpoint, steps: Steps, limit: int | None = None
) -> bool:
    """Write, but die at a step; True if it got to the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint_file, "opened", steps.opened)
        for name in ("unlink", "rename", "fsync", "open"):
            patch.setattr(os, name, steps.step(getattr(os, name)))
        try:
            store.write(checkpoint, limit)
        except KilledError:
            return False
    return True


def test_content_is_on_the_disk_before_the_name_and_the_name_before_it_counts(
    tmp_path: Path, checkpoints: list[Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut in between leaves the whole file or none."""
    steps: list[str] = []
    rename = os.rename

    def synced(file: int) -> None:
        steps.append("directory" if stat.S_ISDIR(os.fstat(file).st_mode) else "content")

    def renamed(*names: Any, **folders: Any) -> None:
        steps.append("name")
        rename(*names, **folders)

    monkeypatch.setattr(checkpoint_file, "sync_file", synced)
    monkeypatch.setattr(os, "rename", renamed)
    write_checkpoint(tmp_path / "one", checkpoints[0])
    assert steps == ["content", "name", "directory"]


def test_whenever_the_writer_is_killed_there_is_a_whole_checkpoint(
    tmp_path: Path, checkpoints: list[Checkpoint]
) -> None:
    store, draw = CheckpointStore(tmp_path / "1-a.gdlog"), random.Random(7)
    store.write(checkpoints[0])
    newest, ends = 0, 0
    for kill in range(KILLS):
        number = draw.randrange(1, len(checkpoints))
        limit = None if kill % 3 else draw.randrange(30_000)
        done = write_and_die(store, checkpoints[number], Steps(kill % 30, draw.random()), limit)
        ends += done
        found, refused = store.newest(1, 10**9)
        assert found is not None
        assert not refused
        place = next(k for k, each in enumerate(checkpoints) if same(found, each))
        assert place in (newest, max(newest, number))
        newest = max(newest, place)
        assert place == newest
        if kill % 50 == 49:
            first, *later = store.stored()
            for each in later:
                each.path.unlink()
            newest = first.batches // 2 - 1
    assert 0 < ends < KILLS
    again = CheckpointStore(tmp_path / "1-a.gdlog")
    again.write(checkpoints[1])
    left = {each.name for each in (tmp_path / CHECKPOINTS).iterdir()}
    assert left == {each.path.name for each in again.stored()}


def test_a_run_that_was_moved_away_is_not_made_anew(
    tmp_path: Path, checkpoints: list[Checkpoint]
) -> None:
    """Between the worker's last look at its place and this write, the directory may go."""
    gone = tmp_path / "run"
    with pytest.raises(FileNotFoundError):
        CheckpointStore(gone / "1-a.gdlog").write(checkpoints[0])
    assert not gone.exists()


def test_any_flipped_bit_is_found_and_the_one_before_is_taken(
    tmp_path: Path, checkpoints: list[Checkpoint]
) -> None:
    store = CheckpointStore(tmp_path / "1-a.gdlog")
    for each in checkpoints[:2]:
        last = store.write(each)
    whole = last.path.read_bytes()
    draw = random.Random(3)
    prefix = 8 * 40
    for bit in (*range(prefix), *(draw.randrange(8 * len(whole)) for _ in range(300))):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        last.path.write_bytes(data)
        found, refused = store.newest(1, 10**9)
        assert found is not None
        assert same(found, checkpoints[0]), bit
        assert str(last.path) in str(refused[0])
    for length in (*range(60), len(whole) - 1):
        last.path.write_bytes(whole[:length])
        assert same(store.newest(1, 10**9)[0] or checkpoints[1], checkpoints[0])
    last.path.write_bytes(whole + b"\0")
    assert same(store.newest(1, 10**9)[0] or checkpoints[1], checkpoints[0])


def test_a_checkpoint_under_the_name_of_another_is_not_used(
    tmp_path: Path, checkpoints: list[Checkpoint]
) -> None:
    store = CheckpointStore(tmp_path / "1-a.gdlog")
    first, second = store.write(checkpoints[0]), store.write(checkpoints[1])
    second.path.write_bytes(first.path.read_bytes())
    found, refused = store.newest(1, 10**9)
    assert same(found or checkpoints[1], checkpoints[0])
    assert "another checkpoint" in str(refused[0])


def test_only_checkpoints_before_a_batch_and_of_the_generation_count(
    tmp_path: Path, checkpoints: list[Checkpoint]
) -> None:
    store = CheckpointStore(tmp_path / "1-a.gdlog")
    for each in checkpoints:
        store.write(each)
    CheckpointStore(tmp_path / "1-ab.gdlog").write(checkpoints[-1])
    assert [each.batches for each in store.stored()] == [2, 4, 6, 8, 10]
    found, _ = store.newest(1, 7)
    assert found is not None
    assert found.batches == 6
    assert store.newest(2, 7) == (None, ())
    assert store.newest(1, 1) == (None, ())


@pytest.mark.parametrize(("begin", "until", "found"), [(0, 9, [8, 6, 4, 2]), (5, 8, [8, 6])])
def test_a_generation_has_no_checkpoints_from_before_it_began(
    tmp_path: Path, checkpoints: list[Checkpoint], begin: int, until: int, found: list[int]
) -> None:
    log = tmp_path / "1-a.gdlog"
    for each in checkpoints:
        CheckpointStore(log).write(each)
    past = Past(started(origin=origin(begin) if begin else None))
    refused: list[str] = []
    stretch = Stretch(log, past, until)
    assert [each.batches for each in checkpoints_of(stretch, refused)] == found
    assert refused == []


# --- Hostile files ------------------------------------------------------------------------------


def framed(header: bytes, tensors: bytes) -> bytes:
    lengths = MAGIC + len(header).to_bytes(8, "little") + len(tensors).to_bytes(8, "little")
    parts = (lengths, header, tensors)
    return b"".join(part + crc32(part).to_bytes(4, "little") for part in parts)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/gdtui-evil",)


def table(**fields: Any) -> bytes:
    text = msgspec.json.encode(
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | fields}
    )
    return len(text).to_bytes(8, "little") + text + b"\0" * 4


def hostile(sound: bytes) -> Iterator[bytes]:
    empty = b"\x02\0\0\0\0\0\0\0{}"
    yield pickle.dumps(Evil())
    yield framed(pickle.dumps(Evil()), empty)
    yield framed(sound, pickle.dumps(Evil()))
    yield framed(sound, table(shape=[2**62, 2**62]))
    yield framed(sound, table(shape=[-1]))
    yield framed(sound, table(data_offsets=[0, 2**62]))
    yield framed(sound, table(data_offsets=[2**63, 2**63 + 4]))
    yield framed(sound, table(dtype="OBJECT"))
    yield framed(sound, b"\xff" * 8)
    yield framed(sound, table(b={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}))
    yield framed(sound, table() + b"\0" * 4)
    yield framed(sound, empty)
    yield framed(b"\x91" * 100_000, empty)
    fields = msgspec.msgpack.decode(sound)
    for name, value in (
        ("generation", 0),
        ("generation", 2**63),
        ("n", -1),
        ("epochs", 10**18),
        ("place", {**fields["place"], "batches": -1}),
        ("place", {**fields["place"], "seconds": float("nan")}),
        ("settings", {**fields["settings"], "lr": float("nan")}),
        ("settings", {**fields["settings"], "batch_size": "../../etc"}),
        ("state", ["unknown", 1]),
        ("state", ["array", 1, 2]),
    ):
        yield framed(msgspec.msgpack.encode({**fields, name: value}), empty)


def test_hostile_files_are_refused_in_a_line(tmp_path: Path, checkpoints: list[Checkpoint]) -> None:
    sound = msgspec.msgpack.encode(checkpoints[0].header)
    path = tmp_path / "a.ckpt"
    for data in hostile(sound):
        path.write_bytes(data)
        with pytest.raises(CheckpointError) as refusal:
            read_checkpoint(path)
        assert "\n" not in str(refusal.value)
    assert not Path("/tmp/gdtui-evil").exists()


def test_links_and_what_is_no_file_are_refused(
    tmp_path: Path, checkpoints: list[Checkpoint]
) -> None:
    write_checkpoint(tmp_path / "a.ckpt", checkpoints[0])
    (tmp_path / "link").symlink_to(tmp_path / "a.ckpt")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo", "missing", "."):
        with pytest.raises(CheckpointError):
            read_checkpoint(tmp_path / name)


@pytest.mark.parametrize("is_framed", [True, False])
def test_a_huge_sparse_file_takes_no_memory(
    tmp_path: Path, checkpoints: list[Checkpoint], is_framed: bool
) -> None:
    """One that agrees with its lengths, which no machine has as memory, and one of zeros."""
    path, huge = tmp_path / "a.ckpt", 1 << (43 if is_framed else 33)
    header = msgspec.msgpack.encode(checkpoints[0].header)
    lengths = MAGIC + len(header).to_bytes(8, "little") + huge.to_bytes(8, "little")
    begin = lengths + crc32(lengths).to_bytes(4, "little")
    begin += header + crc32(header).to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(begin if is_framed else b"")
        try:
            file.truncate(len(begin) + huge + 4)
        except OSError:
            pytest.skip("no file here can be so large")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


# --- Thinning -----------------------------------------------------------------------------------


@given(
    gaps=st.lists(st.integers(1, 1_000), min_size=1, max_size=120),
    generations=st.integers(1, 3),
    room=st.integers(1, 60),
)
def test_thinning_keeps_to_its_limits(gaps: list[int], generations: int, room: int) -> None:
    places = [(g, sum(gaps[: k + 1])) for g in range(1, generations + 1) for k in range(len(gaps))]
    sizes = [10] * len(places)
    gone = surplus(places, sizes, 10 * room)
    kept = [k for k in range(len(places)) if k not in gone]
    assert len(gone) == len({*gone})
    assert len(kept) == min(len(places), max(1, min(room, MOST_KEPT)))
    assert kept[-1] == len(places) - 1


def test_of_ten_thousand_checkpoints_recent_ones_are_dense_and_old_ones_rare() -> None:
    places: list[tuple[int, int]] = []
    for batches in range(1, 10_001):
        places.append((1, batches))
        for index in sorted(surplus(places, [7] * len(places), 7 * 20), reverse=True):
            del places[index]
    kept = [batches for _, batches in places]
    assert len(kept) == 20
    assert kept[-3:] == [9_998, 9_999, 10_000]
    assert kept[0] == 1
    ages = [10_000 - each for each in kept[:-1]]
    assert all(older <= 3.5 * younger + 2 for older, younger in pairwise(ages))


def test_one_larger_than_the_limit_stays() -> None:
    assert surplus([(1, 1), (1, 2)], [100, 100], 50) == [0]


def test_the_store_thins_its_files(tmp_path: Path, checkpoints: list[Checkpoint]) -> None:
    store = CheckpointStore(tmp_path / "1-a.gdlog")
    size = max(store.write(each).bytes for each in checkpoints)
    store.thin(3 * size)
    assert [each.batches for each in store.stored()][-1] == 10
    assert sum(each.bytes for each in store.stored()) <= 3 * size


@pytest.mark.parametrize("room", [0.5, 1.0, 2.0, 2.5, 7.0])
def test_all_stay_within_the_limit_at_every_step(
    tmp_path: Path, checkpoints: list[Checkpoint], monkeypatch: pytest.MonkeyPatch, room: float
) -> None:
    """But two are there, whatever they take, while the newer one is written."""
    monkeypatch.setattr(checkpoint_file, "sync_file", lambda file: None)
    store = CheckpointStore(tmp_path / "1-a.gdlog")
    first = checkpoints[0].header
    place, size = first.place, store.write(checkpoints[0]).bytes + 8
    limit, counted = int(room * size), CountedBytes(tmp_path / CHECKPOINTS)
    for number in range(1, 40):
        at = structs.replace(place, batches=place.batches + number)
        coming = Checkpoint(structs.replace(first, place=at), checkpoints[0].tensors)
        assert write_and_die(store, coming, counted, limit)
        stored = store.stored()
        assert stored[-1].batches == at.batches
        store.thin(limit)
    assert size < counted.most <= max(limit, 2 * size)
    assert len(store.stored()) == max(1, int(room))
