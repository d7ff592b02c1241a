"""A note on the device is said once, however many variants have it."""

from engine.log.records import Resumed, Started
from engine.settings import RunSettings, Variant, VariantSettings
from gdtui.state.store import Store

NOTE = "training on the CPU, although there is a GPU: the NVIDIA driver is too old"


def test_a_note_is_said_once() -> None:
    names = ("a", "b")
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in names)
    store = Store(RunSettings(variants=variants))
    for name, note in (("a", NOTE), ("b", NOTE), ("a", "")):
        started = Started(
            generation=1, settings=VariantSettings(), n=10, model="", parameters=1, device="cpu",
            device_note=note, threads=1, epochs=1, pace=None,
        )  # fmt: skip
        store.add(name, started)
    assert store.take_said() == [NOTE]
    assert store.take_said() == []


def test_a_checkpoint_that_cannot_be_used_is_said() -> None:
    store = Store(RunSettings(variants=(Variant(name="a", settings=VariantSettings()),)))
    store.add("a", Resumed(generation=1, batches=9, checkpoint=4, refused=("x.ckpt: is damaged",)))
    assert store.take_said() == ["a: x.ckpt: is damaged; the checkpoint before it was taken"]
