"""Reading a table of 1,000,000 rows × 20 columns, beside pandas.read_csv: `python tables.py`.

CPU seconds and wall-clock seconds, in turn; the median of the ratios should stay below 1.5.
"""

import os
import statistics
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
        for read in reads.values():
            read()  # the first call imports
        rounds = [{name: seconds(read) for name, read in reads.items()} for _ in range(ROUNDS)]
    for name in reads:
        cpu, wall = (statistics.median(times[name][k] for times in rounds) for k in (0, 1))
        print(f"{name:>8}: {cpu:.2f} s of CPU, {wall:.2f} s")
    ratios = [
        statistics.median(times["gdtui"][k] / times["pandas"][k] for times in rounds)
        for k in (0, 1)
    ]
    print(f"   ratio: {ratios[0]:.2f} of CPU, {ratios[1]:.2f}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
