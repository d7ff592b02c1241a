"""The package as it is published: sdist, the wheel out of it, and the program out of the wheel.

Builds a copy, installs without the network, and runs outside the clone in an environment of its
own; the packages that gdtui depends on are those that run the tests.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "gdtui")
BUILD_SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"

pytestmark = pytest.mark.slow
pytest.importorskip("pip")
# Not imported: setuptools refuses where the distutils of Python has been imported before.
if int(version("setuptools").split(".")[0]) < 77:
    pytest.skip("needs setuptools 77", allow_module_level=True)


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """The stdout of a command that succeeds."""
    result = subprocess.run(
        [*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def sources() -> set[str]:
    """Every file of the packages, as a path in the clone."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of a copy of the clone, and the wheel that is built from it."""
    place = tmp_path_factory.mktemp("built")
    unwanted = shutil.ignore_patterns(
        ".*", "__pycache__", "*.egg-info", "build", "dist", "screenshots"
    )
    copy = shutil.copytree(ROOT, place / "clone", ignore=unwanted)
    run(sys.executable, "-c", BUILD_SDIST, place, cwd=copy)
    (sdist,) = place.glob("gdtui-*.tar.gz")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, "wheel", "--quiet", *offline, "--wheel-dir", place, sdist, cwd=place)
    return place


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment with the wheel."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, symlinks=True)
    (wheel,) = built.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python")
    python = place / "bin" / "python"
    run(*pip, python, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=place)
    (own,) = place.glob("lib/python*/site-packages")
    # Behind the environment's own folder, and without the links to a clone that they may hold.
    shared = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (own / "dependencies.pth").write_text("\n".join(shared) + "\n")
    return place / "bin"


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """The environment variables of a user who knows nothing of the clone."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**env, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}


def test_the_sdist_holds_every_file_of_the_packages_and_what_a_build_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert sources() | {"pyproject.toml", "README.md", "LICENSE"} <= names


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == sources()
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_program_that_runs_is_the_wheels(
    installed: Path, user: dict[str, str], tmp_path: Path
) -> None:
    said = run(
        installed / "python", "-c", "import engine, gdtui; print(engine.__file__, gdtui.__file__)",
        cwd=tmp_path, env=user,
    )  # fmt: skip
    assert all(Path(file).is_relative_to(installed.parent) for file in said.split())


def test_docs_are_read_out_of_the_wheel(
    installed: Path, user: dict[str, str], tmp_path: Path
) -> None:
    pages = {page.stem for page in (ROOT / "gdtui" / "docs").glob("*.md")}
    index = run(installed / "gdtui", "docs", cwd=tmp_path, env=user)
    assert all(topic in index for topic in pages - {"index"})
    guide = run(installed / "gdtui", "docs", "guide", cwd=tmp_path, env=user)
    assert guide.strip() == (ROOT / "gdtui" / "docs" / "guide.md").read_text().strip()


def test_training_works_out_of_the_wheel(
    installed: Path, user: dict[str, str], tmp_path: Path
) -> None:
    options = ("--epochs", "2", "--batch-sizes", "64,full", "--device", "cpu", "--json")
    found = json.loads(run(installed / "gdtui", "train", *options, cwd=tmp_path, env=user))
    assert [each["state"] for each in found["variants"]] == ["finished"] * 2
    assert found["run_dir"].startswith(str(tmp_path))
