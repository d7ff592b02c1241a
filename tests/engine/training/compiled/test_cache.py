"""The cache of programs: whole or absent, private, and bounded."""

import os
from pathlib import Path

import pytest

from engine.settings import Precision
from engine.training.compiled.cache import BuildCache, UnsafeCacheError, default_folder, read_facts
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
    assert [each.name for each in sorted(cache.folder.iterdir())] == ["one.json", "one.so"]
    assert {each.stat().st_mode & 0o777 for each in (cache.folder, path)} == {0o700, 0o600}


def test_those_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds", most_bytes=25)
    for age, key in enumerate("abc"):
        put(cache, key, used=1000 + age)
    assert [key for key in "abc" if cache.find(key)] == ["b", "c"]
    os.utime(cache.folder / "c.so", (999, 999))
    put(cache, "d")
    assert [key for key in "abcd" if cache.find(key)] == ["b", "d"]


def test_a_program_cut_short_is_not_there(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    os.truncate(put(cache, "one"), 5)
    assert cache.find("one") is None
    put(cache, "one").with_suffix(".json").write_bytes(b"{")
    assert cache.find("one") is None


def test_what_others_could_have_written_is_not_loaded(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    path = put(cache, "one")
    path.chmod(0o666)
    assert cache.find("one") is None
    with pytest.raises(UnsafeCacheError, match="chmod go-w"):
        read_facts(path)
    path.chmod(0o600)
    (cache.folder / "two.json").write_bytes(path.with_suffix(".json").read_bytes())
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
