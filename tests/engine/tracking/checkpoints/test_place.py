"""The place of a loop in a checkpoint: the same after a way through bytes, and never trusted."""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from killed_loops import tracked
from msgspec.structs import replace as changed
from tracked_loops import Loop

from engine.checkpoint.checkpoint import Checkpoint
from engine.checkpoint.store import CheckpointStore
from engine.checkpoint.values import Packer, unpack
from engine.tracking.checkpoints.continuation import ResumeError
from engine.tracking.checkpoints.place import LoopPlace, decoded, encoded
from engine.tracking.loop.generators import LoopGenerators
from engine.tracking.loop.order import EpochPlace, checksum

CPU = torch.device("cpu")


class Parts:
    """Stands for a loader whose dataset and sampler have generators of their own."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(1)
        self.dataset = type("Data", (), {})()
        self.dataset.dataset = type("Data", (), {})()
        self.dataset.dataset.noise = np.random.default_rng(2)
        self.sampler = type("Own", (), {})()
        self.sampler.rng = random.Random(3)

    def draw(self) -> list[float]:
        return [
            torch.rand((), generator=self.generator).item(),
            self.dataset.dataset.noise.random(),
            self.sampler.rng.random(),
            torch.rand(()).item(),
            np.random.rand(),
            random.random(),
        ]


def test_generators_are_found_and_go_on() -> None:
    parts = Parts()
    generators = LoopGenerators(parts, CPU)
    place = EpochPlace(
        now=generators.states(),
        start=generators.states(),
        given=3,
        samples=20,
        ahead=(4, 8),
        last=(8, checksum(range(8))),
        switches=((5, 16),),
        loader={"epoch": 1, "parts": [(1, "a"), None]},
    )
    expected = parts.draw()
    again = decoded(encoded(place))
    assert replace(again, now={}, start={}) == replace(place, now={}, start={})
    other = Parts()
    other.draw()
    LoopGenerators(other, CPU).restore(again.now)
    assert other.draw() == expected


def test_a_loaders_state_that_is_no_plain_data_is_left_out() -> None:
    states = LoopGenerators(None, CPU).states()
    assert decoded(encoded(EpochPlace(now=states, loader={"x": object()}))).loader is None


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers(-9, 2**63) | st.text(max_size=3) | st.binary(max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    ).map(msgspec.msgpack.encode)
)
def test_other_bytes_are_refused(data: bytes) -> None:
    for read in (decoded, LoopPlace.of_bytes):
        with pytest.raises((ValueError, TypeError)):
            read(data)


# --- Forged checkpoints -------------------------------------------------------------------------


def place_of(states: Any = None, **values: Any) -> bytes:
    plain = LoopGenerators(None, CPU).states()
    place = EpochPlace(now=plain if states is None else states(plain), start=plain, given=2)
    fields: dict[str, Any] = {
        "ranks": (encoded(replace(place, **values)),),
        "in_epoch": 16,
        "has_epoch_ended": False,
        "is_in_epochs": True,
    }
    return msgspec.msgpack.encode(fields)


def beyond(states: Mapping[str, Any]) -> dict[str, Any]:
    """A place outside of the buffer of numpy's generator."""
    numpy = states["shared"]["numpy"]
    inner = {**numpy["state"], "pos": 10**9}
    return {**states, "shared": {**states["shared"], "numpy": {**numpy, "state": inner}}}


FORGED: dict[str, tuple[bytes, str]] = {
    "no place": (b"\xc0", ""),
    "negative": (msgspec.msgpack.encode({"ranks": [b""], "in_epoch": -1}), ""),
    "no rank": (
        msgspec.msgpack.encode(
            {"ranks": [], "in_epoch": 1, "has_epoch_ended": False, "is_in_epochs": True}
        ),
        "of 0 ranks",
    ),
    "generator": (place_of(beyond), "at place 1000000000 of 624"),
    "no generators": (place_of(lambda _: {}), "does not fit"),
    "sizes": (place_of(ahead=(-1,)), "its place in the epoch cannot be right"),
    "no size": (place_of(switches=((3, 0),)), "its place in the epoch cannot be right"),
    "pair": (place_of(last=(3,)), "its place in the epoch cannot be right"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_place_changes_nothing(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It counts as no checkpoint, or stops the script."""
    data, reason = FORGED[kind]
    loop = Loop()
    run = tracked(loop, tmp_path)
    for batch in run.epochs(1):
        run.step(loop.loss(batch))
        if run.batches == 2:
            run.checkpoint(loop.model)
    run.close()
    store = CheckpointStore(tmp_path / "1-mine.gdlog")
    (stored,) = store.stored()
    found = store.read(stored)
    packer = Packer()
    node = packer.pack({**unpack(found.header.state, found.tensors), "loop": data})
    store.write(Checkpoint(changed(found.header, state=node), packer.tensors))
    loop = Loop()
    run = tracked(loop, tmp_path)
    if not reason:
        assert not run.resume(loop.model)
        assert "the checkpoint at batch 2 cannot be right" in capfd.readouterr().err
        return
    with pytest.raises(ResumeError, match=reason):
        run.resume(loop.model)
