"""The cache of programs: whole or absent, private, and bounded."""

import os
from pathlib import Path

import pytest

from engine.settings import Precision
from engine.training.compiled.cache.programs import (
    BuildCache,
    DamagedProgramError,
    UnsafeCacheError,
    read_facts,
)
from engine.training.compiled.cache.work_folder import default_folder
from engine.training.compiled.compiler import ProgramFacts
from engine.training.compiled.layout import Layout
from engine.training.compiled.spec import BlockSpec

SPEC = BlockSpec(
    batch_size=1,
    accumulation_steps=1,
    updates=8,
    samples=(),
    optimizer="sgd",
    has_momentum=False,
    has_clip=False,
    precision=Precision.FP32,
    device="cpu",
    threads=1,
)
FACTS = ProgramFacts(SPEC, Layout(("weight",), (), ()), (), ("losses",))


def put(cache: BuildCache, key: str, size: int = 10, used: int | None = None) -> Path:
    """Put a program of this size there, perhaps last used at that time."""
    with cache.work() as folder:
        (made := folder / "made.wrapper.so").write_bytes(b"x" * size)
        path = cache.put(key, made, FACTS)
    if used is not None:
        os.utime(path, (used, used))
    return path


def test_a_program_is_found_again_with_its_facts(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    assert cache.find("one") is None
    path = put(cache, "one")
    assert BuildCache(tmp_path / "builds").find("one") == path
    assert read_facts(path).spec == SPEC
    assert [each.name for each in sorted(cache.folder.iterdir())] == ["one.facts", "one.so"]
    assert {each.stat().st_mode & 0o777 for each in (cache.folder, path)} == {0o700, 0o600}


def test_those_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds", most_bytes=25)
    for age, key in enumerate("abc"):
        put(cache, key, used=1000 + age)
    assert [key for key in "abc" if cache.find(key)] == ["b", "c"]
    os.utime(cache.folder / "c.so", (999, 999))
    put(cache, "d")
    assert [key for key in "abcd" if cache.find(key)] == ["b", "d"]


def test_a_damaged_program_is_not_there_and_is_not_loaded(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    path = put(cache, "one")
    path.write_bytes(b"y" + path.read_bytes()[1:])
    assert cache.find("one") is None
    with pytest.raises(DamagedProgramError, match="is damaged"):
        read_facts(path)
    put(cache, "one").with_suffix(".facts").write_bytes(b"{")
    assert cache.find("one") is None
    assert put(cache, "one") == cache.find("one"), "built again"


def test_of_two_equal_programs_the_first_stays(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    first = put(cache, "one").read_bytes()
    assert put(cache, "one", size=20).read_bytes() == first


def test_the_folder_of_a_killed_process_goes_with_the_next(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    (cache.folder / "work-killed").mkdir()
    with cache.work() as first, cache.work() as second:
        assert {*cache.folder.iterdir()} == {first, second}
    assert not [*cache.folder.iterdir()]


def test_what_others_could_have_written_is_not_loaded(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    path = put(cache, "one")
    path.chmod(0o666)
    assert cache.find("one") is None
    with pytest.raises(UnsafeCacheError, match="chmod go-w"):
        read_facts(path)
    path.chmod(0o600)
    (cache.folder / "two.facts").write_bytes(path.with_suffix(".facts").read_bytes())
    (cache.folder / "two.so").symlink_to(path)
    assert cache.find("two") is None


@pytest.mark.parametrize("kind", ["writable", "link", "file"])
def test_a_directory_that_is_not_private_is_refused(kind: str, tmp_path: Path) -> None:
    folder, real = tmp_path / "builds", tmp_path / "real"
    real.mkdir(mode=0o700)
    match kind:
        case "writable":
            folder.mkdir()
            folder.chmod(0o777)
        case "link":
            folder.symlink_to(real)
        case _:
            folder.touch()
    with pytest.raises(UnsafeCacheError):
        BuildCache(folder)


def test_it_is_in_the_users_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/gdtui/builds")
