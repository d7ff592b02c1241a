"""The files of a build that is given up."""

from pathlib import Path

from engine.training.compiled.cache import BuildCache, abandon_work


def test_a_build_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    with cache.work() as folder:
        (folder / "wrapper.cpp").touch()
        abandon_work()
        assert not [*cache.folder.iterdir()]
