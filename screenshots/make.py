"""Makes the pictures of this folder, each from a real run: `python screenshots/make.py [NAME …]`.

Needs the `dev` extra and a monospaced font with braille, FreeMono by default (Debian's
fonts-freefont-ttf): where it is missing, the dots of the charts would be drawn as boxes.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import resvg_py
from textual import constants

from engine.jobs.fork_server import warm_up
from engine.log.directory import RunDirectory
from engine.session import Session
from gdtui.app import GdtuiApp
from gdtui.cli.commands.train.app import app_parser
from gdtui.cli.prepare import prepare_run
from gdtui.screens.landscape import LandscapeScreen

HERE = Path(__file__).parent
FONT = "FreeMono"
FONT_DIRECTORIES = ["/usr/share/fonts", "/usr/local/share/fonts", str(Path.home() / ".fonts")]
PATIENCE = 300.0
"""Seconds to wait for a moment of a run; more means that something is broken."""

Moment = Callable[[GdtuiApp], bool]


@dataclass(frozen=True)
class Step:
    """Wait for a moment of the run, then press keys."""

    moment: Moment
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shot:
    """One picture: a run, the size and theme of the screen, and what happens before it is taken."""

    size: tuple[int, int]
    steps: tuple[Step, ...]
    theme: str = "dark"
    colours: str = "truecolor"
    """What the terminal has, as rich calls it."""
    options: tuple[str, ...] = ()


def epoch(number: float) -> Moment:
    """Every variant has trained that many epochs."""
    return lambda app: all(
        view.tally.n and view.tally.samples >= number * view.tally.n
        for view in app.main.viewer.store.variants.values()
    )


def generation(number: int, epochs: float) -> Moment:
    """Every variant has trained that many epochs of that generation."""
    return lambda app: (
        epoch(epochs)(app)
        and all(view.tally.generation >= number for view in app.main.viewer.store.variants.values())
    )


def surveyed(app: GdtuiApp) -> bool:
    """The landscape on the screen is known as finely as it will be."""
    screen = app.screen
    return isinstance(screen, LandscapeScreen) and screen.is_surveyed


def found(name: str) -> Moment:
    """An experiment, or the sweep, has ended."""
    return lambda app: name in app.main.lab.ends


FAST = ("--pace", "1")
SHOTS = {
    "live-dark": Shot((160, 45), (Step(epoch(13)),), options=FAST),
    "live-light": Shot((160, 45), (Step(epoch(13)),), theme="light", options=FAST),
    "live-contrast": Shot((160, 45), (Step(epoch(13)),), theme="high-contrast", options=FAST),
    "sixteen": Shot(
        (160, 45),
        (Step(epoch(8), ("S",)), Step(generation(2, 13))),
        colours="standard",
        options=FAST,
    ),
    "folded": Shot((160, 45), (Step(epoch(12), ("S",)), Step(generation(2, 12))), options=FAST),
    "changed": Shot(
        (160, 45),
        (Step(epoch(5), ("2", "]", "]", "3", "]", "]", "0")), Step(epoch(12))),
        options=FAST,
    ),
    "crosshair": Shot(
        (160, 45), (Step(epoch(20), ("end", "h", "H", "H")),), options=("--pace", "free")
    ),
    "crosshair-small": Shot(
        (80, 24), (Step(epoch(20), ("h", "H", "H")),), options=("--pace", "free")
    ),
    "focus": Shot((160, 45), (Step(epoch(10), ("3", "z")), Step(epoch(11))), options=FAST),
    "raw": Shot((160, 45), (Step(epoch(10), ("b",)), Step(epoch(11))), options=FAST),
    "small": Shot((80, 24), (Step(epoch(13)),), options=FAST),
    "help": Shot((160, 45), (Step(epoch(3), ("question_mark",)),), options=FAST),
    "digits-cnn": Shot((160, 45), (Step(epoch(12)),), options=("--problem", "digits-cnn", *FAST)),
    "char-lm": Shot(
        (160, 45), (Step(epoch(0.6)),), options=("--problem", "char-lm", "--validate-every", "50")
    ),
    "landscape": Shot(
        (160, 45), (Step(epoch(20), ("v",)), Step(surveyed)), options=("--pace", "free")
    ),
    "trends": Shot(
        (160, 45),
        (*(Step(epoch(10 * turn), ("!",)) for turn in range(1, 20)), Step(epoch(195), ("V",))),
        options=(
            "--problem",
            "digits",
            "--batch-sizes",
            "full,128,32",
            "--lr",
            "0.5",
            "--epochs",
            "200",
            "--pace",
            "8",
        ),
    ),
    "explain": Shot((160, 45), (Step(epoch(13), ("e",)),), options=FAST),
    "tables": Shot((160, 45), (Step(epoch(13), ("T",)),), options=FAST),
    "experiment": Shot(
        (160, 45), (Step(epoch(3), ("X", "enter")), Step(found("saddle"))), options=FAST
    ),
    "sweep": Shot((160, 45), (Step(epoch(3), ("W", "enter")), Step(found("sweep"))), options=FAST),
    "summary": Shot((160, 45), (Step(epoch(20)),), options=("--pace", "free")),
}


async def take(name: str, shot: Shot, folder: Path) -> None:
    """Train, show, press, and write NAME.png."""
    parser = app_parser()
    typed = parser.parse([*shot.options, "--theme", shot.theme, "--run-dir", str(folder / name)])
    options, path = prepare_run(parser, typed, default_pace=1.0)
    run = RunDirectory.create(path, options.settings, "screenshot")
    with Session(run) as session:
        session.start()
        constants.COLOR_SYSTEM = shot.colours  # type: ignore[misc]  # whatever terminal this runs in
        app = GdtuiApp(run, session, fps=10, theme=shot.theme)
        async with app.run_test(size=shot.size) as pilot:
            for step in shot.steps:
                await wait_for(app, step.moment)
                await pilot.press(*step.keys)
            await pilot.pause(0.6)  # figures are refreshed less often than charts
            svg = app.export_screenshot()
        app.close_lab()
    (HERE / f"{name}.png").write_bytes(draw(svg))
    print(f"{name}.png", file=sys.stderr)


async def wait_for(app: GdtuiApp, moment: Moment) -> None:
    async with asyncio.timeout(PATIENCE):
        while not moment(app):
            await asyncio.sleep(0.02)


def draw(svg: str) -> bytes:
    """The SVG as PNG, with a font that has braille and block characters."""
    svg = re.sub(r"font-family:[^;]*;", f"font-family: {FONT};", svg)
    svg = re.sub(r"@font-face \{[^}]*\}", "", svg)
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, font_dirs=FONT_DIRECTORIES, font_family=FONT)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of: {', '.join(SHOTS)}; all by default"
    )
    names = parser.parse_args().names or list(SHOTS)
    if unknown := [name for name in names if name not in SHOTS]:
        parser.error(f"no picture {unknown[0]!r}; there are {', '.join(SHOTS)}")
    with tempfile.TemporaryDirectory() as folder:
        warm_up(Path(folder) / "workers.out")
        for name in names:
            asyncio.run(take(name, SHOTS[name], Path(folder)))


if __name__ == "__main__":
    main()
