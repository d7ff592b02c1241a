"""Growth of a run that trains full batch at free pace: memory of each process, and its log.

    python tests/benchmarks/growth.py [--seconds 120] [--every 10] [--batch-sizes full]

`gdtui train` and `gdtui watch` side by side. Prints resident memory after a warm-up of a tenth of
the time (imports, buffers) and at the end, and what an hour would make of it at that rate; most
buffers fill up in the first minutes. Goals for an hour: ≤ 50 MiB a process, ≤ 300 MiB of log.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from watching import ENV, Watched

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import Terminal  # noqa: E402

MIB = 1 << 20


def resident(pid: int) -> int:
    """Bytes of a process that are in memory; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS")), 0)


def descendants(pid: int) -> list[int]:
    """The processes that it started, and those that they did."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *descendants(child))]


def sample(run: Path, processes: dict[str, int]) -> dict[str, int]:
    """Bytes by what takes them."""
    found = {name: resident(pid) for name, pid in processes.items()}
    found["its workers"] = sum(map(resident, descendants(processes["gdtui train"])))
    found["the run"] = sum(file.stat().st_size for file in run.iterdir() if file.is_file())
    return found


def report(samples: list[tuple[float, dict[str, int]]], batches: int) -> None:
    (begin, first), (end, last) = samples[len(samples) // 10], samples[-1]
    print(f"{batches:,} batches, {batches / end:,.0f} a second")
    for name in last:
        grown = last[name] - first[name]
        print(
            f"{name:12} {first[name] / MIB:8.1f} → {last[name] / MIB:8.1f} MiB, "
            f"{grown / (end - begin) * 3600 / MIB:8.1f} MiB an hour at that rate"
        )


def measure(options: argparse.Namespace, more: Iterable[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        program = [sys.executable, "-m", "gdtui"]
        train = [*program, "train", "--batch-sizes", options.batch_sizes, "--epochs", "100000000"]
        with (
            subprocess.Popen([*train, "--run-dir", str(run), *more], env=ENV) as trained,
            watching(program, run) as terminal,
        ):
            shown = Watched(terminal, run)
            batches = sum(shown.batches().values())
            start, samples = time.monotonic(), []
            while (now := time.monotonic() - start) < options.seconds:
                processes = {"gdtui train": trained.pid, "gdtui watch": terminal.pid}
                samples.append((max(now, 1e-3), sample(run, processes)))
                batches += sum(shown.batches().values())
                time.sleep(options.every)
            report(samples, batches)
            terminal.send("q")
            terminal.wait()
            trained.terminate()


def watching(program: list[str], run: Path) -> Terminal:
    """`gdtui watch` on the run, once it has begun."""
    while not (run / "run.json").exists():
        time.sleep(0.05)
    return Terminal([*program, "watch", str(run)], env=ENV)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--batch-sizes", default="full")
    options, more = parser.parse_known_args()
    sys.path.insert(0, str(ROOT))
    measure(options, more)


if __name__ == "__main__":
    main()
