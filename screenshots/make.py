"""Makes the pictures of this folder by `gdtui record`: `python screenshots/make.py [NAME …]`.

Each still is the last screen of a run that trains while it is recorded, with keys that play by
themselves; the moving picture is the replay of a stored run. Needs the extra `record`, a font with
braille such as DejaVu Sans Mono (Debian's fonts-dejavu), and an otherwise idle machine: the waits
in the scripts are those of one with two cores.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LARGE, SMALL = "160x45", "80x24"
FAST = ("--pace", "1")
FREE = ("--pace", "free")
TRENDS = (
    *("--problem", "digits", "--batch-sizes", "full,128,32", "--lr", "0.5"),
    *("--epochs", "200", "--pace", "8"),
)


@dataclass(frozen=True)
class Still:
    """The last screen of a run: its keys, options of `gdtui record`, and size."""

    keys: str
    options: tuple[str, ...] = FAST
    size: str = LARGE

    def make(self, path: Path, folder: Path) -> None:
        """Train, press the keys, and write the picture."""
        run = ("--run-dir", str(folder / path.stem))
        record(path, "--keys", self.keys, "--size", self.size, "--font-size", "20",
               *run, *self.options)  # fmt: skip


@dataclass(frozen=True)
class Moving:
    """The replay of a run: the keys pressed while it trained, its options, and the length.

    The run trains slowly and is replayed faster, so that a busy machine keeps the pace.
    """

    keys: str
    options: tuple[str, ...]
    speed: float
    seconds: float

    def make(self, path: Path, folder: Path) -> None:
        """Train once, then record the replay of what was stored."""
        run = folder / path.stem
        screen = folder / f"{path.stem}.txt"
        record(screen, "--keys", self.keys, "--run-dir", str(run), *self.options)
        length = ("--speed", f"{self.speed:g}", "--seconds", f"{self.seconds:g}")
        record(path, "--replay", str(run), *length)


PICTURES: dict[str, Still | Moving] = {
    "fold.gif": Moving("18s S 40s q", ("--pace", "0.5"), 4, 12),
    "live-dark.png": Still("13s q"),
    "live-light.png": Still("13s q", ("--theme", "light", *FAST)),
    "live-contrast.png": Still("13s q", ("--theme", "high-contrast", *FAST)),
    "sixteen.png": Still("8s S 15s q", ("--colors", "16", *FAST)),
    "folded.png": Still("12s S 14s q"),
    "changed.png": Still("5s 2 ] ] 3 ] ] 0 8s q"),
    "crosshair.png": Still("40s end h H H 1s q", FREE),
    "crosshair-small.png": Still("40s h H H 1s q", FREE, SMALL),
    "rewind.png": Still("16s 2 h H H . . R 8s 0 q"),
    "fork.png": Still("16s 2 h H H F 2s ] ] 8s 0 q", ("--theme", "light", *FAST)),
    "focus.png": Still("10s 3 z 1s q"),
    "raw.png": Still("10s b 1s q"),
    "small.png": Still("13s q", FAST, SMALL),
    "help.png": Still("3s ? 1s q"),
    "digits-cnn.png": Still("20s q", ("--problem", "digits-cnn", *FAST)),
    "char-lm.png": Still("60s q", ("--problem", "char-lm", "--validate-every", "50")),
    "landscape.png": Still("40s v 30s q", FREE),
    "trends.png": Still(f"{'1250ms ! ' * 19} 2s V 2s q", TRENDS),
    "explain.png": Still("13s e 1s q"),
    "tables.png": Still("13s T 1s q"),
    "experiment.png": Still("3s X enter 120s q"),
    "sweep.png": Still("3s W enter 180s q"),
    "summary.png": Still("40s q", FREE),
}


def record(path: Path, *options: str) -> None:
    """Run `gdtui record` with these options."""
    command = [sys.executable, "-m", "gdtui", "record", *options, "-o", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    subprocess.run(command, check=True, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    known = {Path(name).stem: name for name in PICTURES}
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}; all by default"
    )
    names = parser.parse_args().names or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no picture {unknown[0]!r}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            PICTURES[known[name]].make(HERE / known[name], Path(folder))


if __name__ == "__main__":
    main()
