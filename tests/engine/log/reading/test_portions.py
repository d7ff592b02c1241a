"""Portions hold the records of iteration, whatever their size and whatever is in the log."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hostile_logs import log_bytes, sound_log
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.log.file import LogDamagedError, LogReader, frame
from engine.log.reading import loss_block
from engine.log.reading.loss_block import LossBlock
from engine.log.records import AnyRecord
from engine.log.summary import Tally
from engine.settings import VariantSettings

FIGURES = (
    "epoch", "batches", "updates", "samples", "seconds", "behind", "last_loss", "final_loss",
    "variance", "evaluation", "validation", "loss_at_start", "full_loss", "full_loss_epoch",
    "is_full_loss_old", "validation_loss", "generalisation_gap", "peak_memory", "recipe",
)  # fmt: skip


def parts_of(reader: LogReader, most: int) -> list[AnyRecord | LossBlock]:
    parts = reader.portion(most)
    while reader.has_more:
        parts += reader.portion(most)
    return parts


def flat(parts: list[AnyRecord | LossBlock]) -> list[AnyRecord]:
    return [
        record
        for part in parts
        for record in (part.records if isinstance(part, LossBlock) else (part,))
    ]


def figures(tally: Tally) -> dict[str, str]:
    """As text, since NaN differs from itself."""
    losses = tally.epoch_losses
    lists = {"losses": losses.losses.tolist(), "epochs": losses.epochs.tolist()}
    return {name: repr(getattr(tally, name)) for name in FIGURES} | {
        name: repr(value) for name, value in lists.items()
    }


@pytest.fixture(autouse=True, scope="module")
def _blocks_of_any_length() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss_block, "FEWEST", 2)
        yield


@settings(deadline=None)
@given(st.data(), st.booleans(), st.sampled_from([1, 700, 1 << 20]))
def test_portions_are_the_records_of_iteration(
    data: st.DataObject, is_spoilt: bool, most: int
) -> None:
    content = data.draw(log_bytes(data.draw(sound_log()), is_spoilt=is_spoilt))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v.gdlog"
        path.write_bytes(content)
        one, many = LogReader(path), LogReader(path)
        records: list[AnyRecord] = []
        with contextlib.suppress(LogDamagedError):
            records.extend(one)
        parts = parts_of(many, most)
        assert [frame(each) for each in flat(parts)] == [frame(each) for each in records]
        assert str(many.damage) == str(one.damage)
        assert (many.offset, many.records) == (one.offset, one.records)
        assert many.is_complete == one.is_complete
        assert parts_of(many, most) == []
    by_record, by_block = Tally("v", VariantSettings()), Tally("v", VariantSettings())
    for record in records:
        by_record.add(record)
    for part in parts:
        by_block.add(part)
    assert figures(by_block) == figures(by_record)


def test_a_portion_holds_at_least_one_whole_record(tmp_path: Path) -> None:
    path = tmp_path / "v.gdlog"
    path.write_bytes(b"")
    assert LogReader(path).portion(1) == []
    assert LogReader(tmp_path / "none").portion(1) == []
