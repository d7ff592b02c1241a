"""The runs on screen as the screen asks for them."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine.log.directory import RunDirectory
from gdtui.state.overlay.opening import open_runs
from gdtui.state.overlay.shown_runs import ShownRuns

MakeRun = Callable[..., RunDirectory]


def changed(run: RunDirectory, **settings: object) -> RunDirectory:
    """The same run with other settings."""
    info = msgspec.structs.replace(
        run.info, settings=msgspec.structs.replace(run.info.settings, **settings)
    )
    (run.path / "run.json").write_bytes(msgspec.json.encode(info))
    return RunDirectory.open(run.path)


@pytest.fixture
def three(make_run: MakeRun, tmp_path: Path) -> ShownRuns:
    """Two runs with one seed, one with another."""
    paths = []
    for name, seed in (("a", 0), ("b", 0), ("c", 7)):
        run = make_run(tmp_path / name, names=("SGD", "Batch GD"), epochs=seed + 1)
        paths.append(changed(run, seed=seed, device="cpu,mps").path)
    return open_runs(paths, []).shown


def test_each_variant_knows_its_run(three: ShownRuns) -> None:
    one = three.origin("b: Batch GD")
    assert (one.own_name, one.run.path.name, one.run_settings.seed) == ("Batch GD", "b", 0)
    assert one.device == "mps"
    with pytest.raises(KeyError):
        three.origin("Batch GD")


def test_the_settings_as_of_one_run(three: ShownRuns) -> None:
    assert three.settings.epochs == 8
    assert len(three.settings.variants) == 6


def test_variants_that_began_alike(three: ShownRuns) -> None:
    alike = [one.name for one in three.alike("b: SGD")]
    assert alike == ["a: SGD", "a: Batch GD", "b: SGD", "b: Batch GD"]
    assert [one.name for one in three.alike("c: SGD")] == ["c: SGD", "c: Batch GD"]


def test_files_about_a_variant_are_named_after_its_place_and_name(
    three: ShownRuns, make_run: MakeRun, tmp_path: Path
) -> None:
    assert three.file_stem("b: Batch GD") == "4-b-batch-gd"
    single = ShownRuns.of(make_run(tmp_path / "one", names=("SGD", "Batch GD")))
    assert single.file_stem("Batch GD") == "2-batch-gd"


def test_files_about_several_runs_go_where_the_user_is(
    three: ShownRuns, make_run: MakeRun, tmp_path: Path
) -> None:
    assert three.folders("stills") == (Path(),)
    run = make_run(tmp_path / "one")
    assert ShownRuns.of(run).folders("stills") == (run.path / "stills", Path())
