"""Notes in a log, such as on a run that goes on: only what is not as usual."""

from engine.log.reading.notes import notes_of
from engine.log.records import End, Refused, Resumed


def test_nothing_is_said_of_an_exact_continuation() -> None:
    record = Resumed(generation=1, batches=500, checkpoint=400)
    assert list(notes_of("SGD", record)) == []


def test_unusable_checkpoints_and_other_losses_are_named() -> None:
    record = Resumed(
        generation=1, batches=500, checkpoint=400, differing=3, refused=("a.ckpt: is damaged",)
    )
    damaged, other = notes_of("SGD", record)
    assert damaged == "SGD: a.ckpt: is damaged; the checkpoint before it was taken"
    assert other.startswith("SGD: of the 100 batches trained again since the last checkpoint, 3 ")


def test_what_was_refused_is_said_and_nothing_of_other_records() -> None:
    refused = Refused(detail="no such optimiser", command=1)
    assert list(notes_of("SGD", refused)) == ["SGD: no such optimiser"]
    assert list(notes_of("SGD", End())) == []
