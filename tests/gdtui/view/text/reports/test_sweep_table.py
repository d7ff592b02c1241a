"""A sweep's table in its four forms, from made-up figures."""

import csv
import io
import json
import re

import msgspec
import pytest
from made_up import SWEEP, row

from engine.settings import FULL
from engine.sweep.contradiction import marked
from engine.sweep.table import FailedArm
from gdtui.view.text.reports.sweep_table import FORMS, as_csv, markdown, text


def test_the_text_has_every_figure_its_definition_and_the_lessons_word() -> None:
    said = re.sub(r"\x1b\[[0-9;]*m", "", text(SWEEP))
    lines = said.splitlines()
    assert lines[0] == "synthetic · cpu · seed 3 · one batch size at a time"
    assert re.search(r"^batch size +1 +128 +full$", said, re.MULTILINE)
    assert re.search(r"^samples/s +1,000 +50,000 +90,000$", said, re.MULTILINE)
    assert re.search(r"^  in the lesson +very noisy +low noise +exact$", said, re.MULTILINE)
    assert "loss after 1.25 s" in said
    assert "65.0 samples (95%: 60.0 … ∞)" in said
    assert "validation gap: not measured" in said
    assert lines[-4:] == [
        "measured best: batch size 128, lr 0.02, accumulation 4",
        "Because.",
        "prediction, once the lr is tuned: batch size 32, lr 0.01",
        "In theory.",
    ]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(("epochs", "said"), [(1, "after 1 epoch,"), (2, "after 2 epochs,")])
def test_one_epoch_is_no_plural(epochs: int, said: str) -> None:
    found = text(msgspec.structs.replace(SWEEP, epochs=epochs))
    assert said in found
    assert f"loss {said[:-1]} " in found
    assert "1 epochs" not in found


def test_throughput_and_time_are_drawn_against_the_batch() -> None:
    said = text(SWEEP)
    assert said.count("◆") == 6
    assert "samples per second" in said
    assert "seconds to a loss of 0.200" in said


def test_what_was_not_measured_is_neither_drawn_nor_made_up() -> None:
    bare = msgspec.structs.replace(
        SWEEP,
        rows=(row(1, 1, None, state="out of memory"), row(FULL, 2000, 90_000.0)),
        noise_scale=None,
        recommendation=None,
        prediction=None,
        target_loss=None,
        seconds=None,
    )
    said = text(bare)
    assert "1 (out of memory)" in said
    assert "◆" not in said
    assert "noise scale: not measured" in said
    assert "No recommendation" in said
    assert "–" in said


def test_csv_has_a_row_a_batch_size() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(SWEEP))))
    assert [each["batch_size"] for each in rows] == ["1", "128", "full"]
    assert rows[1]["samples_per_s"] == "50000.0"
    assert rows[1]["generalisation_gap"] == ""
    assert rows[2]["lesson_gradient_quality"] == "exact"
    assert [each["lesson_contradicted"] for each in rows] == [""] * 3


def test_a_word_that_the_figures_contradict_is_marked_in_every_form() -> None:
    rows = [row(1, 1, 90_000.0), row(128, 128, 50_000.0), row(FULL, 2000, 90_000.0)]
    wrong = msgspec.structs.replace(SWEEP, rows=marked(rows))
    assert re.search(r"in the lesson +✗ poor +✗ good +varies", FORMS["text"](wrong))
    assert "✗: the figures of this column lie the other way round" in FORMS["text"](wrong)
    assert "90,000 (✗ poor)" in markdown(wrong)
    assert "gpu_efficiency" in as_csv(wrong).splitlines()[1].split(",")[-1]
    assert "gpu_efficiency" in json.loads(FORMS["json"](wrong))["rows"][0]["contradicted"]
    assert "✗" not in FORMS["text"](SWEEP)


def test_markdown_is_one_table_and_the_recommendation() -> None:
    lines = markdown(SWEEP).splitlines()
    assert len({line.count("|") for line in lines[:5]}) == 1
    assert lines[2].startswith("| 1 | 0.01 | 10.0 (very noisy) | 1,000 (poor) |")
    assert lines[-4].startswith("measured best: batch size 128")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_text(form: str) -> None:
    assert FORMS[form](SWEEP).strip()


def test_json_is_the_document_of_the_readme() -> None:
    document = json.loads(FORMS["json"](SWEEP))
    assert {"problem", "device", "rows", "recommendation"} <= document.keys()
    columns = (
        "batch_size gradient_noise samples_per_s ms_per_update peak_memory_mb loss_equal_epochs"
    )
    columns += " loss_equal_seconds generalisation_gap"
    assert all(set(columns.split()) <= each.keys() for each in document["rows"])
    for choice in ("recommendation", "prediction"):
        assert document[choice].keys() == {"batch_size", "lr", "accumulation_steps", "reason"}


def test_without_a_measured_loss_only_the_prediction_stands() -> None:
    said = text(msgspec.structs.replace(SWEEP, recommendation=None))
    assert "No recommendation: the loss of no arm was measured." in said
    assert "measured best" not in said
    assert said.endswith("In theory.")


def test_an_arm_that_failed_is_named_with_the_reason() -> None:
    failed = (FailedArm(name="Mini-batch 16", reason="failed: ValueError: too few"),)
    said = text(msgspec.structs.replace(SWEEP, failed=failed, notes=("noise not measured: odd",)))
    assert "Mini-batch 16: failed: ValueError: too few" in said
    assert "noise not measured: odd" in said
    assert "Mini-batch 16" not in text(SWEEP)


def test_a_table_without_rows_says_why() -> None:
    failed = tuple(FailedArm(name=name, reason="failed: ValueError: no") for name in ("A", "B"))
    empty = msgspec.structs.replace(SWEEP, rows=(), failed=failed, recommendation=None)
    assert text(empty).split("\n\n")[1:] == [
        "A, B: failed: ValueError: no",
        "No recommendation: no batch size could be measured.",
    ]
