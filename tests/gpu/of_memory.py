"""Checks of memory and of lost contexts on a GPU."""

import subprocess
import sys
import time

from running import PROBLEMS, Found, Place, processes_on_gpus, variants

HUNGRY = ("--problem", f"{PROBLEMS}:hungry", "--epochs", 1, "--lr", 0.1, "--measuring", "off")
WORKERS = 3
PATIENCE = 60.0


def out_of_memory(place: Place) -> Found:
    """4,096 samples of 64 MiB fit no card: stepped back, and finished."""
    result, _ = place.train(*HUNGRY, "--batch-sizes", "full")
    found = result["variants"][0]
    assert found["state"] == "finished", found["state"]
    assert not place.is_cuda or found["accumulation_steps"] > 1, "it was cut"
    return {
        "batches": found["batches"], "peak_gb": found["peak_memory"] / 1e9,
        "accumulation": found["accumulation_steps"],
    }  # fmt: skip


def isolation(place: Place) -> Found:
    """A variant that fills its share is its own news: a batch of 64 beside it is not cut."""
    place.need_cuda()
    result, _ = place.train(*HUNGRY, "--batch-sizes", "full,64")
    found = variants(result)["Mini-batch"]
    cut = found["batch_size"], found["accumulation_steps"], found["state"]
    assert cut == (64, 1, "finished"), cut
    return cut


def memory_of_processes(place: Place) -> Found:
    """The memory that three workers take beside each other, contexts included."""
    place.need_cuda()
    words = ["train", "--json", "--device", place.device, "--epochs", "100000"]
    held = subprocess.Popen(
        [sys.executable, "-m", "gdtui", *words, "--run-dir", str(place.new_run())],
        env=place.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + PATIENCE
        while len(found := processes_on_gpus().splitlines()) < WORKERS:
            assert time.monotonic() < end, found
            time.sleep(0.5)
        return found
    finally:
        held.terminate()
        held.wait(20)


def device_assert(place: Place) -> Found:
    """A class out of range fails its variant, and says so in a line."""
    words = ("--problem", f"{PROBLEMS}:assertion", "--epochs", 1, "--batch-sizes", "64")
    done = place.gdtui(
        "train", "--json", "--device", place.device, "--run-dir", place.new_run(), *words
    )
    assert done.returncode == 1, done.returncode
    assert "assert" in done.stderr.lower() or "out of bounds" in done.stderr, done.stderr[-300:]
    return done.stderr.strip().splitlines()[-1][:200]


def restart_after_assert(place: Place) -> Found:
    """A lost context brings another process at the next restart."""
    place.need_cuda()
    before, after = place.program("restart.py")
    assert None not in (before, after), (before, after)
    assert before != after, f"the same process {before}"


def nothing_is_left(place: Place) -> Found:
    """No process holds the device once all runs have ended."""
    place.need_cuda()
    assert not (found := processes_on_gpus()), found
