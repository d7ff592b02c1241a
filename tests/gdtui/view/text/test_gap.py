"""The gap in the title of the chart: between losses on all data, after as many samples."""

from pathlib import Path

import pytest
from app_bench import Bench, evaluation

from engine.log.follow import Follower
from gdtui.state.store import Store
from gdtui.view.text.gap import gap_of


def store_of(bench: Bench, *generations: tuple[tuple[float, ...], ...]) -> Store:
    """The state when each variant has been measured after these epochs of each generation."""
    for generation, losses in enumerate(generations, start=1):
        bench.begin(generation)
        for name, each in zip(bench.names, losses, strict=True):
            done = [
                evaluation(i, generation=generation, loss=loss) for i, loss in enumerate(each, 1)
            ]
            bench.train(name, [0.8], generation=generation)
            bench.write(name, *done)
    store = Store(bench.run.info.settings)
    for name, record in Follower(bench.run).read(10**9):
        store.add(name, record)
    return store


def text(bench: Bench, *losses: tuple[float, ...]) -> str:
    found = gap_of(store_of(bench, losses))
    assert found.has_folded is found.text.endswith("folded into one curve")
    return found.text


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (((), (), ()), ""),
        (((0.8,), (0.7,), ()), ""),
        (((0.77,), (0.7,), (0.12,)), "gap 0.65"),
        (((0.77,), (0.7, 0.5), (0.12, 0.1, 0.05)), "gap 0.65"),
        (((0.332,), (0.333,), (0.336,)), "gap 0.004 · folded into one curve"),
        (((0.33,), (0.36,), (0.33,)), "gap 0.03"),
        (((0.33,), (float("inf"),), (0.33,)), ""),
    ],
)
def test_the_gap_is_that_after_the_last_epoch_that_all_have_done(
    tmp_path: Path, losses: tuple[tuple[float, ...], ...], expected: str
) -> None:
    assert text(Bench(tmp_path / "run"), *losses) == expected


def test_one_variant_has_no_gap(tmp_path: Path) -> None:
    assert text(Bench(tmp_path / "run", "64"), (0.5,)) == ""


def test_after_a_restart_it_tells_the_gap_before(tmp_path: Path) -> None:
    before, now = ((0.77,), (0.4,), (0.09, 0.05)), ((0.332,), (0.333,), (0.336,))
    store = store_of(Bench(tmp_path / "run"), before, now)
    assert gap_of(store) == ("gap 0.68 → 0.004 · folded into one curve", True)
    assert gap_of(store, with_ghosts=False) == ("gap 0.004 · folded into one curve", True)
    longer = ((0.77, 0.7), (0.4, 0.3), (0.09, 0.01))
    assert gap_of(store_of(Bench(tmp_path / "longer"), longer, now)) == gap_of(store)
    unfinished = store_of(Bench(tmp_path / "other"), ((0.77,), (0.4,), ()), now)
    assert gap_of(unfinished).text == "gap 0.004 · folded into one curve"


def test_of_those_that_did_not_restart_the_gap_before_takes_the_present_losses(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "run")
    store = store_of(bench, ((0.77,), (0.4,), (0.09,)))
    first = bench.names[0]
    bench.begin(2, names=[first])
    bench.train(first, [0.8], generation=2)
    bench.write(first, evaluation(1, generation=2, loss=0.395))
    again = Store(bench.run.info.settings)
    for name, record in Follower(bench.run).read(10**9):
        again.add(name, record)
    assert gap_of(store).text == "gap 0.68"
    assert gap_of(again).text == "gap 0.68 → 0.31"
