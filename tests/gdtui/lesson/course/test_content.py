"""The lesson's file: it is checked, its texts fit two rows of 80 columns, every block is there."""

from pathlib import Path

import pytest

from gdtui.lesson.course.content import BLOCKS, FILE, CourseError, load
from gdtui.lesson.course.figures import FIGURES
from gdtui.widgets.coach import ROWS, with_keys

WIDTH = 78


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('kind = "fold"', 'kind = "unfold"', "unfold"),
        ("{distance_before}", "{distance_afterwards}", "distance_afterwards"),
        ('name = "fold"', 'name = "look"', "two steps have one name"),
        ("pause = true", "paused = true", "paused"),
        ("{keys}", "{kyes}", "refused"),
        ("[words]", "[words", "course.toml"),
        ('"three variants", ', "", "no step for the block"),
        ('"three variants"', '"three variants", "four variants"', "four variants"),
        ('page = "tables"', 'page = "table"', "table"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "course.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CourseError, match=reason):
        load(path)


def test_steps_are_found_by_name_and_number() -> None:
    course = load()
    assert course.find("fold") == course.find("2") == 1
    for wrong in ("0", str(len(course.steps) + 1), "folds", ""):
        with pytest.raises(KeyError):
            course.find(wrong)


WRITTEN = {
    "Three Variants": ("three variants", "look"),
    "Side-by-Side Comparison: make_dataset, train_variant": ("side by side", "look"),
    "print(… final loss, variance …)": ("final loss and spread", "look"),
    "The Noise That Helps: sharp minima, saddle points": ("noise that helps", "noise"),
    "2. Flat minima generalise better": ("flat minima", "generalise"),
    "Controlled by: batch_size": ("batch size controls the noise", "cloud"),
    "linear_scaling_rule, and its table from 32 to 512": ("linear scaling rule", "fold"),
    "PyTorch DataLoader: shuffle, drop_last": ("data loader", "momentum"),
    "train_epoch: momentum, the mean loss of an epoch": ("train epoch", "momentum"),
    "Batch Size Trade-offs": ("trade-offs", "trade-offs"),
    "Practical defaults": ("practical defaults", "choose"),
    "Gradient accumulation": ("gradient accumulation", "accumulate"),
    "Interview Answer": ("interview answer", "choose"),
}
"""Each block of the written lesson, in its order: its name here, and the step with its deed."""


def test_every_block_of_the_written_lesson_has_its_step() -> None:
    course = load()
    assert sorted(block for block, _ in WRITTEN.values()) == sorted(BLOCKS)
    for block, step in WRITTEN.values():
        assert block in course.steps[course.find(step)].blocks


def wide_figures() -> dict[str, str]:
    """Every figure about as wide as it gets."""
    return dict.fromkeys(FIGURES, "0.0123") | {
        "names": "Batch GD / Mini-batch / SGD",
        "losses": "0.0624 / 0.0330 / 0.0781",
        "updates": "20 / 640 / 40,000",
        "bet": "Mini-batch",
        "lowest": "Mini-batch",
    }


def texts() -> list[tuple[str, str, str]]:
    """(heading, text, offer) of all that the coach line may show."""
    course, found = load(), []
    for place, step in enumerate(course.steps, start=1):
        heading = f"{place}/{len(course.steps)} {step.name}"
        for part in step.parts:
            found.append((heading, part.ask, course.words.asking))
            pages = (*part.said, *part.otherwise)
            found += [(f"{heading}  ✓ ", page, course.words.done) for page in pages]
    return [*found, ("", course.words.offer, "")]


@pytest.mark.parametrize(("heading", "text", "offer"), texts())
def test_a_text_fits_two_rows_of_80_columns(heading: str, text: str, offer: str) -> None:
    shown = f"{heading}  {text.format_map(wide_figures())}  {offer}"
    assert len(with_keys(shown).wrap(WIDTH)) <= ROWS, shown


def test_notes_fit_one_row() -> None:
    course = load()
    for step in course.steps:
        for part in step.parts:
            assert len(course.words.refused.format(keys=part.keys)) <= WIDTH - 2, part.keys
