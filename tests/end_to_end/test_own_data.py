"""`--data FILE` from the outside: what is trained, and how a file that cannot be used is told."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdtui.cli.main import main

Cli = Callable[..., "subprocess.CompletedProcess[str]"]

X, Y = np.ones((8, 2)), np.array([0, 1] * 4)

BROKEN: dict[str, tuple[str, str, Any, str]] = {
    "not there": ("t.csv", "--target y", None, "cannot read {file}: No such file or directory"),
    "empty": ("t.csv", "--target y", b"", "{file}: the file is empty"),
    "no rows": ("t.csv", "--target y", b"a,y\n", "{file}: holds no rows"),
    "another column": (
        "t.csv",
        "--target z",
        b"a,y\n1,2\n",
        "{file}: no column 'z'; choose one of 'a', 'y'",
    ),
    "no target": ("t.csv", "", b"a,y\n1,2\n", "{file}: choose the column to predict"),
    "a field too many": (
        "t.csv",
        "--target y",
        b"a,y\n1,2\n1,2,3\n",
        "{file}, line 3: 3 fields, not 2",
    ),
    "a gap": ("t.csv", "--target y", b"a,y\n1,2\n3,\n", "{file}, column 'y', line 3: no value"),
    "a word": (
        "t.csv",
        "--target y",
        b"a,y\n" + b"1,2\n" * 9 + b"x,3\n",
        "{file}, column 'a', line 11: 'x'",
    ),
    "an open quote": (
        "t.csv",
        "--target y",
        b'a,y\n1,2\n"3,4\n',
        "{file}, line 3: a quote is never closed",
    ),
    "no text": ("t.csv", "--target y", b"a,y\n\xff,2\n", "{file}, line 2: not UTF-8 text"),
    "no Parquet": (
        "t.parquet",
        "--target y",
        b"a,y\n",
        "{file}: not a Parquet file that pyarrow can read",
    ),
    "no npz": ("a.npz", "", b"X, y", "{file}: not an .npz file that numpy can read"),
    "other arrays": ("a.npz", "", {"a": X}, "{file}: needs arrays X, y or x_train"),
    "another length": (
        "a.npz",
        "",
        {"X": X, "y": Y[:3]},
        "{file}, array y: 3 values for the 8 samples of X",
    ),
    "pickled": (
        "a.npz",
        "",
        {"X": X, "y": np.array([{}] * 8)},
        "{file}, array y: holds pickled objects",
    ),
    "no images": (
        "a.npz",
        "--problem mnist",
        {"X": X, "y": Y},
        "--model cnn needs images of at least 4×4",
    ),
    "no book": ("b.txt", "--problem char-lm", b"short", "{file}: 5 characters are too few"),
}


@pytest.mark.parametrize(("name", "options", "content", "said"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_used_exits_2_with_one_line(
    name: str,
    options: str,
    content: Any,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if isinstance(content, bytes):
        Path(name).write_bytes(content)
    elif content is not None:
        np.savez(name, **content)
    assert main(["train", "--data", name, *options.split(), "--run-dir", "run"]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"gdtui train: {said.format(file=name)}")
    assert told.err.count("\n") == 1
    assert not Path("run").exists()
    assert not multiprocessing.active_children()


def trained(cli_in_process: Cli, *arguments: str | Path) -> tuple[list[dict[str, Any]], str]:
    """The variants, and the line that says what the file was read as; the JSON says it, too."""
    result = cli_in_process("train", "--json", "--epochs", "3", *arguments)
    assert result.returncode == 0
    document = json.loads(result.stdout)
    assert document["data"]["rows"] > 0
    assert result.stderr.startswith(f"gdtui train: {document['data']['file']}: target ")
    return document["variants"], result.stderr


def test_a_table_is_trained_by_defaults_that_fit_it(cli_in_process: Cli, tmp_path: Path) -> None:
    size = np.random.default_rng(0).normal(100, 20, 300)
    town = np.where(size > 100, "York", "Rye")
    price = 3 * size + 50 * (town == "York")
    file = tmp_path / "houses.csv"
    rows = zip(size, town, price, strict=True)
    file.write_text("size,town,price\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    variants, said = trained(cli_in_process, "--data", file, "--target", "price", "--lr", "0.1")
    assert said == (
        "gdtui train: houses.csv: target price: a number (mean squared error); inputs: 1 number, "
        "1 text; 300 rows, 20% held out\n"
    )
    assert [variant["name"] for variant in variants] == ["Batch GD", "Mini-batch", "SGD"]
    assert variants[1]["validation"]["loss"] < 0.2  # of the target's variance
    assert variants[1]["validation"]["mae"] < 0.5 * price.std()
    assert variants[1]["samples"] == 3 * 240


def test_images_go_through_a_small_network(cli_in_process: Cli, tmp_path: Path) -> None:
    y = np.arange(100) % 2
    x = (np.random.default_rng(0).integers(0, 99, (100, 8, 8)) + 100 * y[:, None, None]).astype(
        np.uint8
    )
    np.savez(tmp_path / "m.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    (variant,), said = trained(
        cli_in_process, "--problem", "mnist", "--data", tmp_path / "m.npz", "--batch-sizes", "10"
    )
    assert "target y_train: two classes, 0 60, 1 60 (binary cross-entropy)" in said
    assert variant["samples"] == 300
    assert variant["validation"]["accuracy"] == 1


def test_the_process_that_draws_reads_no_data(cli_env: dict[str, str], tmp_path: Path) -> None:
    """pandas alone takes half a second to import, and a file may take longer than that."""
    (tmp_path / "t.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    call = (
        f"main(['train', '--data', {str(tmp_path / 't.csv')!r}, '--target', 'y', '--epochs', '1'])"
    )
    code = (
        f"import sys\nfrom gdtui.cli.main import main\n{call}\nprint(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=cli_env, capture_output=True, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stderr.decode().split()}
    assert "gdtui" in loaded
    assert not {"torch", "pandas", "sklearn", "pyarrow"} & loaded
