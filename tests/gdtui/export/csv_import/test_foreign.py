"""Logs in the shapes that other programs write, imported with their steps and values."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from import_bench import exported

from engine.log.directory import RunDirectory
from gdtui.export.csv_import.names import ColumnNameError, parse_columns
from gdtui.export.csv_import.rows import ImportFormatError
from gdtui.export.csv_import.write import import_csv

Table = dict[str, list[str]]


def imported(
    path: Path, text: str | bytes, columns: Mapping[str, str] | None = None, name: str = "log.csv"
) -> tuple[Table, list[str]]:
    """The exported columns, and the notes of the import."""
    (path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    notes = import_csv(str(path / name), path / "run", "0", columns=columns or {})
    head, *rows = [
        line.split(",") for line in exported(RunDirectory.open(path / "run")).decode().splitlines()
    ]
    return dict(zip(head, map(list, zip(*rows, strict=True)), strict=True)), notes


KERAS = (
    "epoch,accuracy,loss,val_accuracy,val_loss\n0,.5,2.3,.4,2.5\n1,.6,1.9,.5,2.1\n2,.7,NA,.6,2\n"
)
LIGHTNING = (
    "epoch,lr-Adam,step,train_loss,val_loss\n0,0.001,49,1.5,\n0,,99,1.25,\n0,,99,,1.4\n"
    "1,0.0005,149,1.0,\n1,,199,,1.2\n"
)
FASTAI = "epoch,train_loss,valid_loss,accuracy,time\n0,0.75,0.5,0.8,00:05\n1,0.5,0.25,0.9,00:04\n"
YOLO = (
    "               epoch,                time,      train/box_loss,            lr/pg0\n"
    "                   1,              12.5,               3.5,             0.0001\n"
    "                   2,              24.75,              3.25,            0.0002\n"
)
XGBOOST = "iteration\ttrain-logloss\ttest-logloss\n0\t0.5\t0.75\n1\t0.25\t0.5\n2\t0.125\t0.25\n"
NANOGPT = "iter,train/loss,lr,time\n0,10.5,0.0006,1700000000.5\n500,4.25,0.0006,1700000060.5\n"
HUGGING_FACE = (
    "step,loss,learning_rate,epoch,eval_loss\n50,2.5,5e-05,0.5,\n100,2.25,4e-05,1.0,\n"
    "100,,,1.0,2.4\n150,2.0,3e-05,1.5,\n"
)
TENSORBOARD = "Wall time,Step,Value\n1700000000000,10,0.5\n1700000001500,20,0.25\n"
SEMICOLONS = "Epoch;Step;Loss\n1,0;10;0,5\n1,0;20;0,25\n2,0;30;0,125\n"

SHAPES: dict[str, tuple[str | bytes, Table]] = {
    "Keras": (
        KERAS,
        {"epoch": ["1", "2"], "loss": ["2.3", "1.9"], "batch": ["1", "2"], "variant": ["log"] * 2},
    ),
    "Lightning": (
        LIGHTNING,
        {
            "update": ["49", "99", "149"],
            "loss": ["1.5", "1.25", "1.0"],
            "epoch": ["1", "1", "2"],
            "lr": ["0.001", "0.001", "0.0005"],
        },
    ),
    "fastai": (FASTAI, {"epoch": ["1", "2"], "loss": ["0.75", "0.5"]}),
    "YOLO": (
        YOLO,
        {
            "epoch": ["1", "2"],
            "loss": ["3.5", "3.25"],
            "lr": ["0.0001", "0.0002"],
            "seconds": ["12.500000000", "24.750000000"],
        },
    ),
    "XGBoost": (XGBOOST, {"update": ["1", "2", "3"], "loss": ["0.5", "0.25", "0.125"]}),
    "nanoGPT": (
        NANOGPT,
        {
            "update": ["1", "501"],
            "loss": ["10.5", "4.25"],
            "seconds": ["0.000000000", "60.000000000"],
        },
    ),
    "Hugging Face": (
        HUGGING_FACE,
        {
            "update": ["50", "100", "150"],
            "epoch": ["1", "1", "2"],
            "lr": ["5e-05", "4e-05", "3e-05"],
            "loss": ["2.5", "2.25", "2.0"],
        },
    ),
    "TensorBoard": (
        TENSORBOARD,
        {
            "update": ["10", "20"],
            "seconds": ["0.000000000", "1.500000000"],
            "loss": ["0.5", "0.25"],
        },
    ),
    "semicolons": (
        SEMICOLONS,
        {"epoch": ["1", "1", "2"], "update": ["10", "20", "30"], "loss": ["0.5", "0.25", "0.125"]},
    ),
    "UTF-16": (XGBOOST.encode("utf-16"), {"loss": ["0.5", "0.25", "0.125"]}),
    "steps in batch": (
        "variant,batch,loss\nrun,49,.067\nrun,99,.038\n",
        {"batch": ["1", "2"], "update": ["49", "99"], "loss": ["0.067", "0.038"]},
    ),
    "Lightning, with the lr in rows of its own": (
        "epoch,lr-SGD,step,train_loss\n,0.1,0,\n0,,49,2.0\n,0.05,50,\n0,,99,1.0\n",
        {"update": ["49", "99"], "lr": ["0.1", "0.05"], "loss": ["2.0", "1.0"]},
    ),
    "an lr column without a value": (
        "lr,epoch,loss\n,1,2.0\n,2,1.0\n",
        {"lr": ["0.01", "0.01"], "epoch": ["1", "2"]},
    ),
    "fastai, ever slower": (
        "epoch,train_loss,valid_loss,time\n0,2,1,00:12\n1,1.5,1,00:12\n2,1,1,00:13\n",
        {"seconds": ["0.000000000", "12.000000000", "24.000000000"]},
    ),
    "the same duration in all rows": (
        "epoch;loss;time\n1;2,5;60\n2;1,5;60\n3;1,25;60\n",
        {"seconds": ["0.000000000", "60.000000000", "120.000000000"]},
    ),
    "W&B": (
        '"Step","calm-fog-7 - train/loss","calm-fog-7 - train/loss__MIN",'
        '"calm-fog-7 - train/loss__MAX"\n"50","2.5","2.5","2.5"\n"100","1.5","1.5","1.5"\n',
        {"update": ["50", "100"], "loss": ["2.5", "1.5"]},
    ),
    "MLflow": (
        "run_id,key,value,step,timestamp\nab,loss,2.5,0,1700000000000\n"
        "ab,acc,0.5,0,1700000000000\nab,loss,1.5,1,1700000001000\nab,acc,0.75,1,1700000001000\n",
        {"variant": ["loss", "loss", "acc", "acc"], "loss": ["2.5", "1.5", "0.5", "0.75"]},
    ),
    "whole numbers as floats": (
        "variant,batch,epoch,loss\na,1.0,1.0,3\na,2.0,1.0,2\n",
        {"batch": ["1", "2"], "epoch": ["1", "1"], "loss": ["3.0", "2.0"]},
    ),
}


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_a_log_keeps_its_steps_and_values(
    text: str | bytes, expected: Table, tmp_path: Path
) -> None:
    found, _ = imported(tmp_path, text)
    assert {name: found[name] for name in expected} == expected


def test_what_is_guessed_and_changed_is_said(tmp_path: Path) -> None:
    _, notes = imported(tmp_path, LIGHTNING)
    assert notes == [
        "read update from 'step', lr from 'lr-Adam', loss from 'train_loss'",
        "2 rows without a loss left out",
        "epoch counts from 0: moved by one",
        "column 'val_loss' is unknown and ignored",
    ]


def test_any_names_are_columns_if_asked_for(tmp_path: Path) -> None:
    text = 'model,it,"nll, train"\nsmall,5,2.5\nlarge,5,1.5\nsmall,10,2.0\n'
    columns = parse_columns('variant=model, update=it,"loss=nll, train"')
    found, notes = imported(tmp_path, text, columns)
    assert found["variant"] == ["small", "small", "large"]
    assert found["update"] == ["5", "10", "5"]
    assert found["loss"] == ["2.5", "2.0", "1.5"]
    assert any("loss from 'nll, train'" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss", "expected OURS=THEIRS"),
        ("los=a", "unknown column 'los': choose from variant"),
        ("loss=", "expected OURS=THEIRS"),
    ],
)
def test_names_that_are_none_are_told(text: str, said: str) -> None:
    with pytest.raises(ColumnNameError, match=said):
        parse_columns(text)


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"log\.csv:1: --columns loss=nll: no column 'nll'"):
        imported(tmp_path, KERAS, {"loss": "nll"})


def test_several_losses_are_a_question(tmp_path: Path) -> None:
    text = "epoch,train/box_loss,train/cls_loss\n1,2,3\n"
    with pytest.raises(ImportFormatError, match="--columns loss=train/box_loss"):
        imported(tmp_path, text)
    found, _ = imported(tmp_path, text, {"loss": "train/cls_loss"})
    assert found["loss"] == ["3.0"]
