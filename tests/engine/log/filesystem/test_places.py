"""Folders of runs on each platform, those of earlier versions among them, and runs by name."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from platformdirs.macos import MacOS

from engine.log.directory import RunDirectory
from engine.log.filesystem.places import NoHomeError, default_root, find_run, known_roots

MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, with no XDG variables."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


@pytest.fixture
def mac(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same on a Mac."""
    monkeypatch.setattr("platformdirs.PlatformDirs", MacOS)
    return home


def xdg(home: Path) -> Path:
    return home / ".local" / "state" / "gdtui" / "runs"


def support(home: Path) -> Path:
    return home / "Library" / "Application Support" / "gdtui" / "runs"


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
@pytest.mark.parametrize("state", [None, "", "relative/path"])
def test_on_linux_it_is_the_state_directory(
    state: str | None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if state is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    assert default_root() == xdg(home)
    xdg(home).mkdir(parents=True)
    assert known_roots() == (xdg(home),)


def test_an_absolute_xdg_state_home_is_where_runs_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "elsewhere"))
    assert default_root() == home / "elsewhere" / "gdtui" / "runs"
    assert known_roots() == (default_root(),)


def test_on_a_mac_it_is_application_support_and_the_place_before(mac: Path) -> None:
    assert default_root() == support(mac)
    assert known_roots() == (support(mac),)
    xdg(mac).mkdir(parents=True)
    assert known_roots() == (support(mac), xdg(mac))


def test_a_name_alone_is_found_wherever_runs_are_kept(
    mac: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make_run(xdg(mac) / "old").path, make_run(support(mac) / "new").path
    assert (find_run("old"), find_run("new")) == (old, new)
    monkeypatch.chdir(make_run(mac / "here" / "old").path.parent)
    assert find_run("old") == Path("old")
    assert find_run("./new") == Path("new")
    assert find_run("~/here") == mac / "here"


@pytest.mark.parametrize("name", ["nowhere", "x" * 300, "~nobody-of-this-name/run", "a\0b"])
def test_a_name_that_is_none_is_left_as_it_is(name: str, home: Path) -> None:
    assert find_run(name) == Path(name)


COMMAND = """
import sys
sys.platform = "darwin"
from gdtui.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def on_a_mac(home: Path, *arguments: str) -> str:
    """The output of `gdtui`, where Python says that this is a Mac."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    result = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        env={**env, "HOME": str(home)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def test_on_a_mac_runs_of_both_places_are_listed_exported_and_removed(
    home: Path, make_run: MakeRun
) -> None:
    old, new = make_run(xdg(home) / "old").path, make_run(support(home) / "new").path
    listed = json.loads(on_a_mac(home, "runs", "--json"))
    assert {run["run_dir"] for run in listed["runs"]} == {str(old), str(new)}
    assert listed["root"] == str(support(home))
    assert on_a_mac(home, "export", "old") == on_a_mac(home, "export", "new") != ""
    assert "removed 2 runs" in on_a_mac(home, "runs", "--prune", "--yes")
    assert not list(xdg(home).iterdir())
    assert not list(support(home).iterdir())


def nobody_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_the_folder_of_runs_is_asked_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", nobody_home)
    with pytest.raises(NoHomeError, match="set HOME, or XDG_STATE_HOME"):
        default_root()
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    assert default_root() == home / "state" / "gdtui" / "runs"
