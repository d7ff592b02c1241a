"""The end of a growing file."""

from pathlib import Path

from gdtui.state.stored.console import ConsoleTail


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out"
    tail = ConsoleTail(path)
    assert tail.read() == (b"", False)
    assert tail.is_missing
    path.write_bytes(b"one\n")
    assert tail.read() == (b"one\n", False)
    path.write_bytes(b"one\ntwo\n")
    assert tail.read() == (b"two\n", False)
    assert tail.read() == (b"", False)
    path.write_bytes(b"x")
    assert tail.read() == (b"x", True)


def test_of_a_long_file_only_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"a" * (1 << 20) + b"end")
    data, has_jumped = ConsoleTail(path).read()
    assert has_jumped
    assert len(data) == 1 << 18
    assert data.endswith(b"end")
