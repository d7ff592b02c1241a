"""`gdtui experiment` from outside: JSON.

Nothing is left behind of it, nor of a sweep.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import PATIENCE

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def test_full_batch_stays_on_the_saddle_and_one_sample_leaves_it_as_json_says(
    cli_in_process: Cli,
) -> None:
    result = cli_in_process("experiment", "saddle", "--seeds", "4", "--device", "cpu", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert (document["experiment"], document["seeds"]) == ("saddle", 4)
    assert [(arm["batch_size"], arm["escaped"]) for arm in document["arms"]] == [
        ("full", 0),
        (64, 4),
        (1, 4),
    ]
    assert (document["verdict"], document["failed"]) == ("supported", [])
    assert re.search(r"e\^(1\d|2\d)\.\d in all", document["notes"][0])
    assert document["seconds"] > 0


EXPERIMENT = "experiment linear-scaling --seeds 200"
SWEEP = "sweep --batch-sizes 1 --epochs 1000000"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (EXPERIMENT, signal.SIGTERM),
        (SWEEP, signal.SIGINT),
        (SWEEP, signal.SIGKILL),
    ],
)
def test_whatever_ends_it_nothing_is_left(
    line: str, number: signal.Signals, cli_env: dict[str, str]
) -> None:
    mark = f"GDTUI_TEST_{os.getpid()}_{number}"
    program = subprocess.Popen(
        [sys.executable, "-m", "gdtui", *line.split(), "--device", "cpu"],
        env={**cli_env, mark: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for(lambda: len(family(mark)) >= 4)  # itself, the tracker, the server, the experiment
    if number is signal.SIGINT:
        os.killpg(program.pid, number)  # as a terminal does
    else:
        program.send_signal(number)
    out, err = program.communicate(timeout=PATIENCE)
    by_signal = {signal.SIGINT: 130, signal.SIGTERM: 143}
    assert program.returncode == by_signal.get(number, -number)
    assert (out, err) == (b"", b"")
    wait_for(lambda: not family(mark))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def family(mark: str) -> list[int]:
    """The processes that were started with this variable in their environment."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):  # another's, or gone meanwhile
                if mark.encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
    return found
