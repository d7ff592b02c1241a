"""Reading a table of 1,000,000 rows × 20 columns, beside pandas.read_csv: `python tables.py`.

CPU seconds and wall-clock seconds, the least of some rounds; the ratio should stay below 1.5.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from engine.problems.tabular.table import read_table
from engine.settings import DataSettings

ROWS, ROUNDS = 1_000_000, 5


def table(rows: int) -> pd.DataFrame:
    """Numbers, whole numbers, a text, and a target."""
    draw = np.random.default_rng(0)
    columns = {f"f{k}": draw.normal(size=rows).round(4) for k in range(14)}
    columns |= {f"i{k}": draw.integers(0, 1000, rows) for k in range(4)}
    columns["town"] = draw.choice(["Rye", "York", "Wells"], rows)
    columns["y"] = draw.normal(size=rows).round(3)
    return pd.DataFrame(columns)


def seconds(read: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall-clock time of one call."""
    before, start = os.times(), time.perf_counter()
    read()
    after = os.times()
    return after.user + after.system - before.user - before.system, time.perf_counter() - start


def main() -> None:
    """Print the times and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.csv"
        table(ROWS).to_csv(file, index=False)
        data = DataSettings(path=str(file), target="y")
        reads: dict[str, Callable[[], object]] = {
            "pandas": lambda: pd.read_csv(file),
            "gdtui": lambda: read_table(data),
        }
        times = {name: [seconds(read) for _ in range(ROUNDS)] for name, read in reads.items()}
    least = {
        name: [min(column) for column in zip(*rows, strict=True)] for name, rows in times.items()
    }
    for name, (cpu, wall) in least.items():
        print(f"{name:>8}: {cpu:.2f} s of CPU, {wall:.2f} s")
    ratios = [ours / theirs for ours, theirs in zip(least["gdtui"], least["pandas"], strict=True)]
    print(f"   ratio: {ratios[0]:.2f} of CPU, {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
