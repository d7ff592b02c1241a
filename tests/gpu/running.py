"""Runs gdtui as a user would, and programs beside it, on the device under check."""

import csv
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
PROBLEMS: Final = f"{HERE / 'gpu_problems.py'}"

Found = Any
"""The figures that a check reports beside its verdict; None without any."""


class SkipCheck(Exception):  # noqa: N818
    """A check that this device cannot be put to; the message says why."""


class Place:
    """A device, and the files of the runs on it."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.is_cuda = device.startswith("cuda")
        self.folder = Path(tempfile.mkdtemp(prefix="gdtui-gpu-"))
        self._numbers = itertools.count()
        size = {} if self.is_cuda else {"GDTUI_GPU_CHECK": "small"}
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.environment = {
            **os.environ, **size, "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONPATH": path.rstrip(os.pathsep),
        }  # fmt: skip

    def close(self) -> None:
        """Remove the runs."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def need_cuda(self) -> None:
        """Skip the check on any other device."""
        if not self.is_cuda:
            raise SkipCheck("waits for a CUDA card")

    def new_run(self) -> Path:
        """A path for the next run."""
        return self.folder / f"run{next(self._numbers)}"

    def gdtui(
        self, *words: object, timeout: float = 150.0, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """A command line, run to its end."""
        return subprocess.run(
            [sys.executable, "-m", "gdtui", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def train(self, *words: object, **environment: str) -> tuple[Any, Path]:
        """The JSON result of a run that must go well, and its directory."""
        run = self.new_run()
        done = self.gdtui(
            "train", "--json", "--device", self.device, "--run-dir", run, *words, **environment
        )
        assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-600:]}"
        return json.loads(done.stdout), run

    def losses(self, run: Path) -> dict[str, list[float]]:
        """Every loss of a run, by variant."""
        done = self.gdtui("export", run)
        assert done.returncode == 0, done.stderr
        found: dict[str, list[float]] = {}
        for row in csv.DictReader(io.StringIO(done.stdout)):
            found.setdefault(row["variant"], []).append(float(row["loss"]))
        return found

    def program(self, file: str, *words: str) -> Any:
        """The JSON that a program beside this file prints."""
        done = subprocess.run(
            [sys.executable, str(HERE / file), self.device, PROBLEMS, *words],
            capture_output=True,
            text=True,
            timeout=150,
            env=self.environment,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-500:]
        return json.loads(done.stdout)


Check = Callable[[Place], Found]


def apart(one: dict[str, list[float]], other: dict[str, list[float]]) -> float:
    """The largest difference between the losses of two runs."""
    pairs = ((name, pair) for name in one for pair in zip(one[name], other[name], strict=True))
    return max(abs(a - b) for _, (a, b) in pairs)


def variants(result: Any) -> dict[str, Any]:
    """The variants of a result by name."""
    return {variant["name"]: variant for variant in result["variants"]}


def processes_on_gpus() -> str:
    """The processes that hold a GPU, with the memory that they take."""
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
