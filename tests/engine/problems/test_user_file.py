"""Names of problems in a user's file."""

from pathlib import Path

import pytest

from engine.problems.user_file import absolute, is_file, split


def test_where_the_file_ends_and_the_function_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert split("a/net.py") == (Path("a/net.py"), "problem")
    assert split("a:b/net.py:other") == (Path("a:b/net.py"), "other")
    assert absolute("net.py") == f"{tmp_path}/net.py:problem"
    assert absolute("synthetic") == "synthetic"
    assert [is_file(name) for name in ("net.py", "net.py:f", "synthetic", "net")] == [
        True,
        True,
        False,
        False,
    ]
