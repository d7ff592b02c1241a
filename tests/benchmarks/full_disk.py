"""Rounds of a disk that fills up while `gdtui train` writes on it, and is emptied again.

    python tests/benchmarks/full_disk.py [--rounds 20] [--size 16] [--seed 0]

Each round trains on a small tmpfs (as root, or in a user namespace), fills it at a random
moment until nothing fits, waits until the program says so, empties it, and lets the training end.
Checked: the full disk was told, nothing was trained meanwhile, every batch is in the log exactly
once, the exit status is 0. Prints a line a round and a summary; exit status 1 where one failed.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
ENV: Final = {**os.environ, "PYTHONPATH": str(ROOT)}
PATIENCE: Final = 300.0
_EPOCHS: Final = 10
_SAMPLES: Final = 2_000
_INSIDE: Final = "_GDTUI_FULL_DISK"


@dataclass
class Round:
    """The result of one."""

    at: int
    """Batches that were logged when it was filled."""
    said: str
    batches: int
    troubles: list[str]


@contextlib.contextmanager
def small_disk(mib: int) -> Iterator[Path]:
    """A tmpfs of that size."""
    with tempfile.TemporaryDirectory() as folder:
        options = f"size={mib}m,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    """Write until not a byte more fits; the file that takes the space."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


def logged(run: Path) -> list[int]:
    """The numbers of the batches that are in the log, in its order."""
    from engine.log.directory import RunDirectory
    from engine.log.file import LogReader
    from engine.log.records import Chunk

    log = RunDirectory.open(run).variant_log("SGD")
    numbers: list[int] = []
    for record in LogReader(log):
        if isinstance(record, Chunk):
            numbers += range(record.batch, record.batch + record.batches)
    return numbers


def until(condition: object, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def one_round(disk: Path, rng: random.Random) -> Round:
    run, wanted = disk / "run", _EPOCHS * _SAMPLES
    command = [sys.executable, "-m", "gdtui", "train", "--batch-sizes", "1", "--json"]
    command += ["--epochs", str(_EPOCHS), "--on-full", "wait", "--run-dir", str(run)]
    with subprocess.Popen(
        command, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as train:
        assert train.stderr is not None
        assert train.stdout is not None
        said: list[str] = []
        listening = Thread(target=said.extend, args=(train.stderr,), daemon=True)
        listening.start()
        at = rng.randrange(1, wanted // 2)
        until(lambda: (run / "1-sgd.gdlog").exists() and len(logged(run)) >= at, "first losses")
        filler = fill(disk)
        until(lambda: any("cannot write" in line for line in said), "the full disk is told")
        full, troubles = len(logged(run)), []
        time.sleep(rng.random())
        if len(logged(run)) != full:
            troubles.append("batches were logged on a full disk")
        filler.unlink()
        output = train.stdout.read()
        status = train.wait(PATIENCE)
        listening.join(PATIENCE)
    numbers = logged(run)
    if numbers != list(range(1, wanted + 1)):
        troubles.append(f"{len(numbers)} batches in the log, not {wanted}")
    if status:
        troubles.append(f"exit status {status}: {' '.join(said)}")
    elif json.loads(output)["variants"][0]["batches"] != wanted:
        troubles.append("the document counts other batches")
    return Round(full, said[0].strip() if said else "", len(numbers), troubles)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--size", type=int, default=16, help="MiB of the disk")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if os.geteuid() and _INSIDE not in os.environ:
        again = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, *sys.argv]
        return subprocess.run(again, env={**ENV, _INSIDE: "1"}, check=False).returncode
    sys.path.insert(0, str(ROOT))
    rng, failed = random.Random(options.seed), 0
    for number in range(1, options.rounds + 1):
        with small_disk(options.size) as disk:
            found = one_round(disk, rng)
        failed += bool(found.troubles)
        print(
            f"round {number}: full at batch {found.at:,}; {found.batches:,} batches in the end; "
            f"{'; '.join(found.troubles) or 'all there'}",
            flush=True,
        )
        if number == 1:
            print(f"  told: {found.said}", flush=True)
    print(f"{options.rounds - failed} of {options.rounds} rounds lost nothing and told it")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
