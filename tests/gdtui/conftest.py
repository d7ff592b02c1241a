"""Fixtures: an app on a run that they write, a run that was imported, stored runs."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_bench import Bench
from quiet import wait_until_quiet

from engine.log.directory import RunDirectory, data_path, server_output
from engine.settings import RunSettings, Variant, VariantSettings
from engine.sweep.directory import SweepDirectory
from gdtui.export.csv_import.write import import_csv


@pytest.fixture(autouse=True, scope="session")
def _quick_pauses() -> Iterator[None]:
    """`pilot.pause()` and `pilot.press()` end as soon as the app has nothing to do."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("textual.pilot", "textual.app"):
            patch.setattr(f"{module}.wait_for_idle", wait_until_quiet)
        yield


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Three variants of which nothing has been recorded yet."""
    return Bench(tmp_path / "run")


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """An entry for each frame that was painted: whether figures were written."""
    from gdtui.screens.main.painter import Painter

    found: list[bool] = []
    paint = Painter.paint

    def noted(painter: Painter, *, figures: bool) -> bool:
        found.append(paint(painter, figures=figures))
        return found[-1]

    monkeypatch.setattr(Painter, "paint", noted)
    return found


@pytest.fixture
def imported(tmp_path: Path) -> Callable[[str | bytes], RunDirectory]:
    """The run that a CSV becomes."""

    def make(text: str | bytes) -> RunDirectory:
        file = tmp_path / "in.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        path = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        import_csv(str(file), path, "0")
        return RunDirectory.open(path)

    return make


@pytest.fixture
def runs_root(tmp_path: Path) -> Path:
    """The folder in which a `cli` of this test keeps its runs."""
    return tmp_path / "state" / "gdtui" / "runs"


@pytest.fixture
def make_sweep(make_run: Callable[..., RunDirectory]) -> Callable[..., SweepDirectory]:
    """Write a sweep's directory with arms as training would: the first `begun` of `names`.

    Further options are those of `make_run`.
    """

    def make(
        path: Path,
        *,
        names: tuple[str, ...] = ("SGD", "Mini-batch 32", "Batch GD"),
        begun: int | None = None,
        is_complete: bool = True,
        **options: object,
    ) -> SweepDirectory:
        variants = tuple(Variant(name=name, settings=VariantSettings()) for name in names)
        sweep = SweepDirectory.create(path, RunSettings(variants=variants), "0")

        def fill() -> None:
            with sweep:
                for name, folder in list(zip(names, sweep.info.arms, strict=True))[:begun]:
                    make_run(path / folder, names=(name,), **options)
                if not is_complete:
                    raise InterruptedError

        with contextlib.suppress(InterruptedError):
            fill()
        return SweepDirectory.open(path)

    return make


@pytest.fixture
def running_run(make_run: Callable[..., RunDirectory], runs_root: Path) -> Iterator[RunDirectory]:
    """A run whose session still holds its log."""
    run = make_run(runs_root / "running")
    with run.session_log.open("rb") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield run


@pytest.fixture
def leftover(runs_root: Path) -> Path:
    """The rest of a run where gdtui was killed an hour ago as it loaded a problem."""
    path = runs_root / "left"
    data_path(path).mkdir(parents=True)
    (data_path(path) / "train.pt").write_bytes(bytes(1000))
    server_output(path).touch()
    for each in (data_path(path), server_output(path)):
        os.utime(each, (time.time() - 3600, time.time() - 3600))
    return path
