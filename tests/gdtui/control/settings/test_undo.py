"""Undo: the settings before a key, whatever has changed since."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.settings import FULL, LrScaling, VariantSettings
from gdtui.control.settings.undo import UndoStack, in_words

START = {"a": VariantSettings(batch_size=64), "b": VariantSettings(batch_size=1)}


@dataclass
class Keys:
    """Presses keys on settings, and notes each step."""

    wanted: dict[str, VariantSettings] = field(default_factory=lambda: dict(START))
    stack: UndoStack = field(default_factory=UndoStack)

    def press(self, *names: str, restarts: bool = False, **change: object) -> None:
        after = {name: replace(self.wanted[name], **change) for name in names}
        self.stack.note({name: self.wanted[name] for name in names}, after, restarts=restarts)
        self.wanted.update(after)

    def undo(self) -> tuple[set[str], bool] | None:
        """The variants whose settings came back, and whether they restart."""
        step = self.stack.take(self.wanted)
        if step is None:
            return None
        self.wanted.update(step.after)
        return set(step.after), step.restarts


def test_each_step_is_undone_as_it_was_done() -> None:
    keys = Keys()
    keys.press("a", lr=0.02)
    keys.press("a", "b", restarts=True, lr_scaling=LrScaling.LINEAR)
    keys.press("b", batch_size=2)
    assert keys.undo() == ({"b"}, False)
    assert keys.undo() == ({"a", "b"}, True)
    assert keys.undo() == ({"a"}, False)
    assert keys.undo() is None
    assert keys.wanted == START


@given(st.lists(st.tuples(st.sampled_from([("a",), ("b",), ("a", "b")]), st.integers(1, 9))))
def test_undoing_every_step_leads_back_to_the_start(
    presses: list[tuple[tuple[str, ...], int]],
) -> None:
    keys = Keys()
    for names, number in presses:
        keys.press(*names, restarts=number % 2 == 0, accumulation_steps=number)
    while keys.undo():
        pass
    assert keys.wanted == START


def test_a_step_that_changes_nothing_is_no_step() -> None:
    keys = Keys()
    keys.press("a", lr=0.02)
    keys.press("a", "b", restarts=True, momentum=0.0)
    assert keys.undo() == ({"a"}, False)


def test_a_refused_step_is_skipped() -> None:
    keys = Keys()
    keys.press("a", lr=0.02)
    keys.press("a", optimizer="none_such")
    keys.wanted["a"] = replace(keys.wanted["a"], optimizer="sgd")
    assert keys.undo() == ({"a"}, False)
    assert keys.wanted == START


def test_what_no_key_changed_stays() -> None:
    """Memory ran out after an lr key: undoing the lr does not ask for the large batch again."""
    keys = Keys()
    keys.press("a", batch_size=512)
    keys.press("a", lr=0.02)
    keys.wanted["a"] = replace(keys.wanted["a"], batch_size=256)
    keys.undo()
    assert keys.wanted["a"] == VariantSettings(batch_size=256, lr=0.01)
    keys.undo()
    assert keys.wanted == START


def test_settings_that_exclude_each_other_are_undone_as_a_whole() -> None:
    keys = Keys()
    keys.press("a", momentum=0.9)
    keys.press("a", momentum=0.0)
    keys.wanted["a"] = replace(keys.wanted["a"], optimizer="sgd(momentum=0.5)")
    keys.undo()
    assert keys.wanted["a"] == VariantSettings(batch_size=64, momentum=0.9)


def test_it_knows_which_variants_a_key_has_restarted() -> None:
    keys = Keys()
    keys.press("a", lr=0.02)
    assert not keys.stack.has_restarted("a")
    keys.press("b", restarts=True, lr=0.02)
    assert keys.stack.has_restarted("b")
    assert not keys.stack.has_restarted("a")


def test_in_words() -> None:
    def words(**after: VariantSettings) -> str:
        return in_words(dict.fromkeys(after, START["a"]), after, 2000)

    smaller, faster = VariantSettings(batch_size=32), VariantSettings(lr=0.02, batch_size=FULL)
    assert words(a=smaller) == "a: batch 64 → 32"
    assert words(a=smaller, b=smaller) == "batch 64 → 32"
    assert words(a=smaller, b=START["a"], c=faster) == (
        "a: batch 64 → 32; c: batch 64 → full, lr 0.01 → 0.02"
    )
    many = {name: VariantSettings(lr=0.1 + place) for place, name in enumerate("abcde")}
    assert words(**many).endswith("; c: lr 0.01 → 2.1; 2 more")


def test_all_that_a_step_restarted_restart_again() -> None:
    keys = Keys()
    after = {"a": replace(START["a"], lr=0.02), "b": START["b"]}
    keys.stack.note(START, after, restarts=True)
    keys.wanted.update(after)
    assert keys.undo() == ({"a", "b"}, True)
