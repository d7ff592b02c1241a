"""Names of variants of several runs: short, and never two alike."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.state.overlay.names import run_labels, variant_names


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["/runs/a"], ["a"]),
        (["/runs/a", "/runs/b"], ["a", "b"]),
        (["/x/run", "/y/run"], ["x/run", "y/run"]),
        (["/x/run", "/y/run", "/y/other"], ["x/run", "y/run", "other"]),
        (["/a/x/run", "/b/x/run"], ["a/x/run", "b/x/run"]),
        (["/run", "/x/run"], ["/run", "x/run"]),
        (["/r/20260301-120000", "/r/20260301-121500"], ["120000", "121500"]),
        (["/r/20260301-120000", "/r/20260301-120000-1"], ["120000", "120000-1"]),
        (["/r/20260301-120000", "/r/20260302-120000"], ["0301-120000", "0302-120000"]),
        (
            ["/r/20251231-120000", "/r/20260101-120000"],
            ["20251231-120000", "20260101-120000"],
        ),
        (["/r/20260301-120000", "/r/mine"], ["20260301-120000", "mine"]),
        (["/r/20260301-120000"], ["20260301-120000"]),
        (["/r/a\x1b[2J", "/r/b"], ["a\\x1b[2J", "b"]),
    ],
)
def test_a_label_is_as_much_of_the_path_as_tells_it_apart(
    paths: list[str], labels: list[str]
) -> None:
    assert run_labels([Path(path) for path in paths]) == labels


@pytest.mark.parametrize(
    ("labels", "variants", "names"),
    [
        (["a"], [["SGD", "Adam"]], [["SGD", "Adam"]]),
        (["a", "b"], [["SGD"], ["SGD"]], [["a"], ["b"]]),
        (["a", "b"], [["SGD"], ["Adam"]], [["a"], ["b"]]),
        (
            ["a", "b"],
            [["SGD", "Adam"], ["SGD"]],
            [["a: SGD", "a: Adam"], ["b"]],
        ),
        (["a", "a: x"], [["x", "y"], ["x"]], [["a: x", "a: y"], ["a: x #2"]]),
    ],
)
def test_variants_are_named_after_their_runs(
    labels: list[str], variants: list[list[str]], names: list[list[str]]
) -> None:
    assert variant_names(labels, variants) == names


parts = st.text(st.sampled_from("ab: #2/"), min_size=1, max_size=4)


@given(
    st.lists(
        st.tuples(parts, st.lists(parts, min_size=1, max_size=3, unique=True)),
        min_size=1,
        max_size=4,
    )
)
def test_no_two_names_are_alike(runs: list[tuple[str, list[str]]]) -> None:
    names = variant_names([label for label, _ in runs], [own for _, own in runs])
    every = [name for each in names for name in each]
    assert len({*every}) == len(every)
    assert [len(each) for each in names] == [len(own) for _, own in runs]


folders = st.lists(
    st.sampled_from(["run", "a", "20260301-120000", "20260301-130000"]), min_size=1, max_size=4
)


@given(st.lists(folders.map(lambda names: Path("/", *names)), min_size=1, max_size=6, unique=True))
def test_no_two_labels_are_alike(paths: list[Path]) -> None:
    labels = run_labels(paths)
    assert len({*labels}) == len(paths)
    assert all(str(path).endswith(label) for path, label in zip(paths, labels, strict=True))
