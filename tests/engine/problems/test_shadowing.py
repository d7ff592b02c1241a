"""The sentence on a module that hides another, or is hidden: only where that is the trouble."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from engine.problems.error_messages import explain
from engine.problems.shadowing import explain_shadowing


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on sys.path, as the one of a problem's file is."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def error_of(code: str) -> Exception:
    """The exception that this raises."""
    try:
        exec(code, {})
    except Exception as error:
        return error
    raise AssertionError(f"{code} raises nothing")


@pytest.mark.parametrize(
    ("made", "code", "said"),
    [
        (
            "engine/",
            "from engine import Car",
            "engine/ next to it has the name of a package of gdtui",
        ),
        (
            "engine/",
            "import engine.cars",
            "engine/ next to it has the name of a package of gdtui",
        ),
        (
            "engine/",
            "import engine; engine.Car()",
            "engine/ next to it has the name of a package of gdtui",
        ),
        (
            "engine.py",
            "from engine import Car",
            "engine.py next to it has the name of a package of gdtui",
        ),
        (
            "random.py",
            "import random; random.walk()",
            "random.py next to it has the name of a module of Pyth",
        ),
        (
            "numpy.py",
            "from numpy import nosuch",
            "numpy.py next to it has the name of an installed package",
        ),
    ],
)
def test_a_module_that_was_loaded_before_hides_the_users(
    made: str, code: str, said: str, folder: Path
) -> None:
    path = folder / made
    if made.endswith("/"):
        path.mkdir()
        path /= "__init__.py"
    path.write_text("class Car: pass\n")
    told = explain_shadowing(error_of(code), folder)
    assert told is not None
    assert told.startswith(said)
    assert told.endswith(f"which Python imports instead: rename {made}")


@pytest.mark.parametrize("name", ["sndhdr", "pyflakes_or_so"])
def test_the_users_module_hides_another(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of Python's that nothing has imported yet; one that is installed elsewhere."""
    elsewhere = folder / "installed"
    elsewhere.mkdir()
    (elsewhere / f"{name}.py").write_text("what = 1\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path, str(elsewhere)])
    monkeypatch.delitem(sys.modules, name, raising=False)
    (folder / f"{name}.py").write_text("")
    told = explain_shadowing(error_of(f"from {name} import what"), folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    owner = "a module of Python" if name == "sndhdr" else "an installed package"
    assert told == f"{name}.py next to it hides {owner}: rename {name}.py"


def test_an_error_of_the_users_own_module_is_told_as_it_is(folder: Path) -> None:
    (folder / "my_own_net.py").write_text("")
    (folder / "my_data").mkdir()
    for code in (
        "from my_own_net import Net",
        "import my_data; my_data.load()",
        "import no_such_module",
    ):
        assert explain_shadowing(error_of(code), folder) is None
    for error in (
        ValueError("no"),
        error_of("import random; random.walk()"),
        error_of("(1).real.walk()"),
    ):
        assert explain_shadowing(error, folder) is None
    import_module("my_own_net")
    assert explain_shadowing(error_of("import my_own_net; my_own_net.Net()"), folder) is None


def test_the_sentence_comes_first_with_the_line_in_the_file(folder: Path) -> None:
    (folder / "engine").mkdir()
    file = folder / "net.py"
    file.write_text("import math\nfrom engine import Car\n")
    with pytest.raises(ImportError) as caught:
        import_module("net")
    told = explain(caught.value, file, is_short=True)
    assert told.startswith(
        "net.py:2: engine/ next to it has the name of a package of gdtui, which Python"
    )
    assert "rename engine/ (ImportError: cannot import name 'Car'" in told
