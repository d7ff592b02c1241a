"""Tables and arrays as problems: what the model is given, the loss, the held-out part."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from engine.problem import Problem
from engine.problems import registry
from engine.problems.builtin import arrays, char_lm, mnist, table
from engine.problems.parts import losses
from engine.problems.parts.networks import SmallCNN, Standardised
from engine.settings import DataSettings, SettingsError


def of_table(path: Path, frame: pd.DataFrame, **settings: object) -> Problem:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return table.make(0, DataSettings(path=str(path), target="y", **settings))  # type: ignore[arg-type]


def of_arrays(path: Path, contents: dict[str, np.ndarray], **settings: object) -> Problem:
    np.savez(path, **contents)
    return arrays.make(0, DataSettings(path=str(path), **settings))  # type: ignore[arg-type]


def houses(n: int = 50) -> pd.DataFrame:
    """A number with gaps, a text with gaps, an identifier, an empty column, a price."""
    generator = np.random.default_rng(0)
    size = generator.normal(100, 20, n)
    town = generator.choice(["Rye", "Wells", "York"], n)
    frame = pd.DataFrame(
        {"size": size, "town": town, "id": [f"h{k}" for k in range(n)], "empty": np.nan}
    )
    frame["y"] = 1000 * size + 20_000 * (town == "York")
    frame.loc[3, "size"] = np.nan
    frame.loc[5, "town"] = None
    return frame


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_are_imputed_and_scaled_and_texts_are_one_hot(suffix: str, tmp_path: Path) -> None:
    problem = of_table(tmp_path / f"t.{suffix}", houses())
    inputs, target = problem.train
    held_out, _ = problem.validation
    assert (inputs.shape, held_out.shape) == ((40, 5), (10, 5))  # size, three towns and "no town"
    assert inputs.dtype == target.dtype == torch.float32
    assert inputs[:, 0].mean().item() == pytest.approx(0, abs=1e-6)
    assert inputs[:, 0].std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert (inputs[:, 1:].sum(1) == 1).all()
    assert target.mean().item() == pytest.approx(0, abs=1e-6)


def test_columns_that_nothing_is_predicted_from_are_named(tmp_path: Path) -> None:
    def said(frame: pd.DataFrame) -> str:
        reading = of_table(tmp_path / "t.csv", frame).reading
        assert reading is not None
        return reading.sentence

    assert "; 'id' left out: text that hardly repeats; 'empty' left out: empty; " in said(houses())
    assert "left out" not in said(houses().drop(columns=["id", "empty"]))
    many = houses().drop(columns="id").assign(**{f"x{k}": np.nan for k in range(9)})
    assert said(many).count("'") == 2 * 8
    assert " and 2 more left out" in said(many)


def test_csv_and_parquet_make_the_same_problem(tmp_path: Path) -> None:
    one, other = (of_table(tmp_path / name, houses()) for name in ("t.csv", "t.parquet"))
    for mine, others in zip(
        (*one.train, *one.validation), (*other.train, *other.validation), strict=True
    ):
        assert torch.equal(mine, others)


def test_statistics_come_from_the_training_part_alone(tmp_path: Path) -> None:
    """Changing a held-out row must change nothing that is trained on."""
    plain = pd.DataFrame({"a": np.arange(20.0), "y": np.arange(20.0) ** 2})
    held_out = next(
        k for k in range(20) if _with_outlier(tmp_path, plain, k).train[0].abs().max() < 2
    )
    assert torch.equal(
        _with_outlier(tmp_path, plain, held_out).train[0],
        of_table(tmp_path / "t.csv", plain).train[0],
    )


def _with_outlier(path: Path, frame: pd.DataFrame, row: int) -> Problem:
    changed = frame.copy()
    changed.loc[row, "a"] = 1e6
    return of_table(path / "t.csv", changed)


def test_errors_in_a_number_are_told_in_its_own_unit(tmp_path: Path) -> None:
    problem = of_table(tmp_path / "t.csv", houses())
    _, target = problem.validation
    at_the_mean = problem.metrics["mae"](torch.zeros(len(target), 1), target)
    assert at_the_mean.item() == pytest.approx(
        1000 * 20 * 0.8, rel=0.5
    )  # of a normal, MAE is 0.8 σ


@pytest.mark.parametrize(
    ("y", "loss", "outputs"),
    [
        (["a", "b"] * 10, losses.binary_loss, 1),
        (["a", "b", "c", "d"] * 5, losses.class_loss, 4),
        ([float(k) for k in range(20)], losses.squared_loss, 1),
    ],
)
@pytest.mark.parametrize("model", ["linear", "mlp:8,4"])
def test_the_target_chooses_the_loss(
    y: list[object], loss: object, outputs: int, model: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"a": np.arange(20.0), "b": np.ones(20), "y": y})
    problem = of_table(tmp_path / "t.csv", frame, model=model)
    assert problem.loss is loss
    output = problem.model()(problem.train[0][:3])
    assert output.shape == (3, outputs)
    assert problem.loss(output, problem.train[1][:3]).shape == ()


def test_the_held_out_part_is_stratified_or_none(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(100.0), "y": ["rare"] * 10 + ["common"] * 90})
    _, held_out = of_table(tmp_path / "t.csv", frame, validation=0.3).validation
    assert sorted(held_out.tolist()) == [0.0] * 27 + [1.0] * 3
    assert of_table(tmp_path / "t.csv", frame, validation=0.0).validation is None


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(separator: str, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(
        "a,y\n1,2\n2,9\n3,7\n4,3\n5,1\n".replace(",", separator), encoding="utf-8-sig", newline=""
    )
    problem = table.make(0, DataSettings(path=str(file), target="y"))
    assert problem.train[0].shape == (4, 1)


def test_arrays_are_scaled_in_the_model_and_stay_bytes(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
    problem = of_arrays(tmp_path / "a.npz", {"X": x, "y": np.arange(40) % 4})
    inputs, target = problem.train
    assert (inputs.dtype, target.dtype) == (torch.uint8, torch.int64)
    model = problem.model()
    assert isinstance(model, Standardised)
    scaled = (inputs - model.mean) / model.std
    assert scaled.mean(0).abs().max() < 1e-5
    assert scaled.std(0, correction=0).sub(1).abs().max() < 1e-5
    assert problem.loss(model(inputs[:1]), target[:1]).isfinite()


def test_batch_sizes_fit_the_number_of_samples(tmp_path: Path) -> None:
    for n, sizes in ((100, ("full", 32, 1)), (2000, (512, 128, 32))):
        np.savez(tmp_path / "a.npz", X=np.ones((n, 1)), y=np.arange(n) % 2)
        problem = registry.load("arrays", 0, DataSettings(path=str(tmp_path / "a.npz")))
        assert problem.defaults["batch_sizes"] == sizes


def test_a_feature_that_never_changes_divides_by_nothing(tmp_path: Path) -> None:
    x = np.stack([np.full(10, 7.0), np.arange(10.0)], axis=1)
    problem = of_arrays(tmp_path / "a.npz", {"X": x, "y": np.arange(10) % 2})
    assert problem.model()(problem.train[0]).isfinite().all()


@pytest.mark.parametrize("shape", [(30, 8, 8), (30, 8, 8, 3), (30, 3, 8, 8)])
def test_mnist_takes_images_in_any_of_the_usual_layouts(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    y = np.arange(30) % 10
    np.savez(tmp_path / "m.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    problem = mnist.make(0, DataSettings(path=str(tmp_path / "m.npz")))
    channels = 1 if len(shape) == 3 else 3
    assert problem.train[0].shape == (30, channels, 8, 8)
    assert problem.validation[0].shape == (10, channels, 8, 8)
    assert problem.validation[1].tolist() == list(range(10))
    model = problem.model()
    assert isinstance(model.model, SmallCNN)
    assert model(problem.train[0][:2]).shape == (2, 10)


def test_a_held_out_share_of_a_file_that_brings_its_own_test_part_is_refused(
    tmp_path: Path,
) -> None:
    x, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    with pytest.raises(SettingsError, match="has its own x_test"):
        of_arrays(
            tmp_path / "a.npz",
            {"x_train": x, "y_train": y, "x_test": x, "y_test": y},
            validation=0.1,
        )


def test_the_same_seed_makes_the_same_problem_and_another_another(tmp_path: Path) -> None:
    houses().to_csv(tmp_path / "t.csv", index=False)
    data = DataSettings(path=str(tmp_path / "t.csv"), target="y")
    one, same, other = (table.make(seed, data).train[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_text_of_ones_own_is_cut_into_windows_that_predict_the_next_character(
    tmp_path: Path,
) -> None:
    file = tmp_path / "book.txt"
    file.write_text("the quick brown fox jumps over the lazy dog – " * 100, encoding="utf-8")
    problem = char_lm.make(0, DataSettings(path=str(file)))
    inputs, target = problem.train
    assert inputs.shape == target.shape == (len(inputs), char_lm.CONTEXT)
    assert torch.equal(inputs.flatten()[1:], target.flatten()[:-1])
    assert len(problem.validation[0]) == pytest.approx(len(inputs) / 4, abs=1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"short", "too few"),
        (b"fine\n\xff\n" * 2000, "line 2: not UTF-8 text"),
        (b"", "the file is empty"),
    ],
)
def test_a_text_that_cannot_be_used_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        char_lm.make(0, DataSettings(path=str(file)))


def test_characters_that_share_a_number_are_told(tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    common = "".join(chr(0x4E00 + k % 255) for k in range(9_000))
    file.write_text(common + "".join(chr(0x5E00 + k) for k in range(1_000)), encoding="utf-16")
    problem = char_lm.make(0, DataSettings(path=str(file)))
    assert problem.notes[0].startswith(
        "book.txt: 10% of its characters are rarer than the 255 most frequent of 1,255"
    )
    file.write_text("Zürich – Bern. " * 300, encoding="cp1252")
    with pytest.raises(SettingsError, match="--encoding cp1252 would read this line"):
        char_lm.make(0, DataSettings(path=str(file)))
    assert char_lm.make(0, DataSettings(path=str(file), encoding="cp1252")).notes == ()
