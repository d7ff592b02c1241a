"""The gap in the title of the chart: between losses on all data, after as many samples."""

from pathlib import Path

import pytest
from app_bench import Bench, evaluation

from engine.log.follow import Follower
from gdtui.state.store import Store
from gdtui.view.text.distance import distance_of


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
    found = distance_of(store_of(bench, losses))
    assert found.has_folded is found.text.endswith("folded into one")
    return found.text


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (((), (), ()), ""),
        (((0.8,), (0.7,), ()), ""),
        (((0.77,), (0.7,), (0.12,)), "curves 0.65 apart"),
        (((0.77,), (0.7, 0.5), (0.12, 0.1, 0.05)), "curves 0.65 apart"),
        (((0.332,), (0.333,), (0.336,)), "curves 0.004 apart · folded into one"),
        (((0.33,), (0.36,), (0.33,)), "curves 0.03 apart"),
        (((0.33,), (float("inf"),), (0.33,)), ""),
    ],
)
def test_the_distance_is_that_after_the_last_epoch_that_all_have_done(
    tmp_path: Path, losses: tuple[tuple[float, ...], ...], expected: str
) -> None:
    assert text(Bench(tmp_path / "run"), *losses) == expected


def test_one_variant_has_no_distance(tmp_path: Path) -> None:
    assert text(Bench(tmp_path / "run", "64"), (0.5,)) == ""


def test_after_a_restart_it_tells_the_distance_before(tmp_path: Path) -> None:
    before, now = ((0.77,), (0.4,), (0.09, 0.05)), ((0.332,), (0.333,), (0.336,))
    store = store_of(Bench(tmp_path / "run"), before, now)
    assert distance_of(store) == ("curves 0.68 → 0.004 apart · folded into one", True)
    assert distance_of(store, with_ghosts=False) == ("curves 0.004 apart · folded into one", True)
    longer = ((0.77, 0.7), (0.4, 0.3), (0.09, 0.01))
    assert distance_of(store_of(Bench(tmp_path / "longer"), longer, now)) == distance_of(store)
    unfinished = store_of(Bench(tmp_path / "other"), ((0.77,), (0.4,), ()), now)
    assert distance_of(unfinished).text == "curves 0.004 apart · folded into one"


def test_of_those_that_did_not_restart_the_distance_before_takes_the_present_losses(
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
    assert distance_of(store).text == "curves 0.68 apart"
    assert distance_of(again).text == "curves 0.68 → 0.31 apart"
