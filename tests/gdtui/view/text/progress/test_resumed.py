"""Notes on a run that goes on: only what is not as usual."""

from engine.log.records import Resumed
from gdtui.view.text.progress.resumed import resumed_notes


def test_nothing_is_said_of_an_exact_continuation() -> None:
    record = Resumed(generation=1, batches=500, checkpoint=400)
    assert list(resumed_notes("SGD", record)) == []


def test_unusable_checkpoints_and_other_losses_are_named() -> None:
    record = Resumed(
        generation=1, batches=500, checkpoint=400, differing=3, refused=("a.ckpt: is damaged",)
    )
    damaged, other = resumed_notes("SGD", record)
    assert damaged == "SGD: a.ckpt: is damaged; the checkpoint before it was taken"
    assert other.startswith("SGD: of the 100 batches trained again since the last checkpoint, 3 ")
