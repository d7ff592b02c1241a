"""Data files that cannot be used: one sentence each, naming the file and what of it is wrong."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from canary import PLANTS

from engine.problems.builtin import arrays, char_lm, table
from engine.settings import DataSettings, SettingsError

Content = bytes | dict[str, Any] | pd.DataFrame | None

TABLES: dict[str, tuple[str, str, Content, str]] = {
    "not there": ("t.csv", "y", None, "cannot read {file}: No such file or directory"),
    "empty file": ("t.csv", "y", b"", "{file}: the file is empty"),
    "header only": ("t.csv", "y", b"a,y\n", "{file}: holds no rows"),
    "no such column": (
        "t.csv",
        "prise",
        b"a,price\n1,2\n",
        "{file}: no column 'prise'; did you mean 'price'?",
    ),
    "no target named": (
        "t.csv",
        None,
        b"a,y\n1,2\n",
        "{file}: choose the column to predict: --target with one of 'a', 'y'",
    ),
    "a field too many": ("t.csv", "y", b"a,y\n1,2\n\n1,2,3\n", "{file}, line 4: 3 fields, not 2"),
    "a field too many everywhere": (
        "t.csv",
        "y",
        b"a,y\n1,2,3\n3,4,5\n",
        "{file}: its rows have more fields than its first line has names",
    ),
    "the target missing": (
        "t.csv",
        "y",
        b"a,y\n1,2\n\n3,\n4,\n",
        "{file}, column 'y', line 4: no value (and in 1 more): every row needs a target",
    ),
    "a word among numbers": (
        "t.csv",
        "y",
        b"a,y\n" + b"1,2\n" * 8 + b"x,3\n",
        "{file}, column 'a', line 10: 'x' is not a number, unlike the others",
    ),
    "a word among target numbers": (
        "t.csv",
        "y",
        b"a,y\n" + b"1,2\n2,5\n" * 4 + b"3,x\n",
        "{file}, column 'y', line 10: 'x' is not a number, unlike the others",
    ),
    "an infinite number": (
        "t.csv",
        "y",
        b"a,y\n1,2\ninf,3\n",
        "{file}, column 'a', line 3: 'inf' is an infinite number",
    ),
    "a constant target": (
        "t.csv",
        "y",
        b"a,y\n1,2\n2,2\n",
        "{file}, column 'y': every value is 2.0: nothing to learn",
    ),
    "a name for every row": (
        "t.csv",
        "y",
        b"a,y\n1,Ann\n2,Bob\n3,Cy\n",
        "{file}, column 'y': 3 different values in 3 samples are too many classes to learn",
    ),
    "two columns of one name": (
        "t.csv",
        "y",
        b"a,a,y\n1,2,3\n",
        "{file}, column 'a', line 1: the name appears twice",
    ),
    "the target alone": ("t.csv", "y", b"y\n1\n2\n", "{file}: no column to predict 'y' from"),
    "bytes that are no text": (
        "t.csv",
        "y",
        b"a,y\n1,2\n\xff\xfe,3\n",
        "{file}, line 3: not UTF-8 text",
    ),
    "a picture": ("t.csv", "y", b"\x89PNG\r\n\x1a\n\0\0", "{file}, line 1: not UTF-8 text"),
    "no Parquet": (
        "t.parquet",
        "y",
        b"a,y\n1,2\n",
        "{file}: not a Parquet file that pyarrow can read (",
    ),
    "lists in Parquet": (
        "t.parquet",
        "y",
        pd.DataFrame({"a": [[1], [2]], "y": [1, 2]}),
        "{file}, column 'a', row 1: must hold numbers or text, not lists",
    ),
}

X, Y = np.ones((4, 2)), np.array([0, 1, 0, 1])
ARRAYS: dict[str, tuple[Content, str]] = {
    "not there": (None, "cannot read {file}: No such file or directory"),
    "a directory's name": (
        {},
        "{file}: needs arrays X, y or x_train, y_train, x_test, y_test; it holds none",
    ),
    "no npz": (b"hello", "{file}: not an .npz file that numpy can read ("),
    "other names": (
        {"a": X},
        "{file}: needs arrays X, y or x_train, y_train, x_test, y_test; it holds a",
    ),
    "one of four": (
        {"x_train": X, "y_train": Y, "x_test": X},
        "{file}: no array y_test; it holds x_train, y_train, x_test",
    ),
    "other lengths": ({"X": X, "y": Y[:3]}, "{file}, array y: 3 values for the 4 samples of X"),
    "no samples": ({"X": X[:0], "y": Y[:0]}, "{file}, array X: holds no samples"),
    "not a number": (
        {"X": np.array([[1.0], [np.nan]]), "y": Y[:2]},
        "{file}, array X, row 2: nan in column 1 is not a finite float32 number",
    ),
    "above float32": (
        {"X": np.array([[1.0], [1e300]]), "y": Y[:2]},
        "{file}, array X, row 2: 1e+300 in column 1 is not a finite float32 number",
    ),
    "several that are not finite": (
        {"X": np.array([[1, np.inf], [np.nan, -np.inf]]), "y": Y[:2]},
        "{file}, array X, row 1: inf in column 2 (and 2 more) is not a finite float32 number",
    ),
    "targets that are not finite": (
        {"X": X, "y": np.array([0.5, 1.0, np.nan, np.inf])},
        "{file}, array y, row 3: nan (and 1 more) is not a finite number",
    ),
    "text inputs": (
        {"X": np.array([["a"], ["b"]]), "y": Y[:2]},
        "{file}, array X: must hold numbers, not <U1",
    ),
    "pickled objects": (
        {"X": X, "y": np.array([{}, 1, 2, 3], dtype=object)},
        "{file}, array y: holds pickled objects, which are never loaded: save numbers",
    ),
    "a target of vectors": (
        {"X": X, "y": np.ones((4, 3))},
        "{file}, array y: must hold one value per sample; its shape is (4, 3)",
    ),
    "another shape to test": (
        {"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y},
        "{file}, array x_test: samples of shape (1,), but (2,) in x_train",
    ),
    "a class not trained": (
        {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1},
        "{file}, array y_test, row 2: class 2 is not in y_train",
    ),
    "a constant target": (
        {"X": X, "y": Y * 0},
        "{file}, array y: every value is 0: nothing to learn",
    ),
}


def write(path: Path, content: Content) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    elif content is not None:
        content.to_parquet(path)


@pytest.mark.parametrize(("name", "target", "content", "said"), TABLES.values(), ids=TABLES)
def test_a_broken_table_is_told_with_column_and_line(
    name: str, target: str | None, content: Content, said: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    write(file, content)
    with pytest.raises(SettingsError) as caught:
        table.make(0, DataSettings(path=str(file), target=target))
    assert str(caught.value).startswith(said.format(file=file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "said"), ARRAYS.values(), ids=ARRAYS)
def test_broken_arrays_are_told_by_name(content: Content, said: str, tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    write(file, content)
    with pytest.raises(SettingsError) as caught:
        arrays.make(0, DataSettings(path=str(file)))
    assert str(caught.value).startswith(said.format(file=file))
    assert "\n" not in str(caught.value)


def test_one_array_alone_is_no_data(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    with file.open("wb") as stream:
        np.save(stream, X)
    with pytest.raises(SettingsError, match="a single array; save inputs and target"):
        arrays.make(0, DataSettings(path=str(file)))


def test_a_damaged_array_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, X=X, y=Y)
    content = file.read_bytes()
    file.write_bytes(content.replace(X.tobytes(), b"?" * X.nbytes))
    with pytest.raises(SettingsError, match="array X: is damaged"):
        arrays.make(0, DataSettings(path=str(file)))


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.txt"])
@pytest.mark.parametrize("plant", ["a FIFO", "a link to a device", "a directory"])
def test_what_never_ends_is_not_waited_for(plant: str, name: str, tmp_path: Path) -> None:
    """A run of somebody else may name any path as its data."""
    path = tmp_path / name
    PLANTS[plant](path, path)
    make = {"a.npz": arrays.make, "a.csv": table.make, "a.txt": char_lm.make}[name]
    kind = "a device" if "device" in plant else plant
    with pytest.raises(SettingsError, match=rf"is {kind}, not a data file"):
        make(0, DataSettings(path=str(path), target="y" if name == "a.csv" else None))


def test_nothing_that_is_pickled_runs(tmp_path: Path) -> None:
    """A file of arrays is data: unpickling it would run whatever its author wrote."""
    witness = tmp_path / "ran"

    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (witness,)

    file = tmp_path / "a.npz"
    file.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(SettingsError):
        arrays.make(0, DataSettings(path=str(file)))
    np.savez(file, X=X, y=np.array([Attack()] * 4, dtype=object))
    with pytest.raises(SettingsError, match="pickled objects"):
        arrays.make(0, DataSettings(path=str(file)))
    assert not witness.exists()


def test_a_network_for_images_refuses_a_table_of_numbers(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, X=X, y=Y)
    with pytest.raises(
        SettingsError, match="--model cnn needs images of at least 4×4 pixels, not samples of 2"
    ):
        arrays.make(0, DataSettings(path=str(file), model="cnn"))
