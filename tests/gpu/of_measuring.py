"""Checks of measurements, sweeps and experiments on a GPU."""

import json

from running import Found, Place

SEEDS = 5


def measured(place: Place) -> Found:
    """Noise scale and sharpness of a CNN, attention, an LSTM, dropout and autocast."""
    few = () if place.is_cuda else ("{}:dropout",)
    found = place.program("measure.py", *few)
    refused = {name: said for name, said in found.items() if any("cannot" in each for each in said)}
    assert not refused, refused
    return found


def sweep(place: Place) -> Found:
    """The table's memory grows with the batch; no row carries what cuBLAS takes once."""
    sizes = "1,32,512,full" if place.is_cuda else "32,full"
    words = ("--problem", "digits", "--epochs", 2, "--batch-sizes", sizes)
    done = place.gdtui("sweep", "--json", "--device", place.device, *words)
    assert done.returncode == 0, done.stderr[-500:]
    rows = json.loads(done.stdout)["rows"]
    peaks = [row["peak_memory_mb"] for row in rows]
    assert peaks == sorted(peaks), peaks
    return {"peaks_mb": peaks, "samples_s": [row["samples_per_s"] for row in rows]}


def experiments(place: Place) -> Found:
    """The claims in float64 have the verdicts of the CPU."""
    names = ("saddle", "accumulation", "linear-scaling") if place.is_cuda else ("saddle",)
    found = {}
    for name in names:
        words = ("--json", "--seeds", SEEDS, "--device", place.device)
        done = place.gdtui("experiment", name, *words)
        assert done.returncode == 0, done.stderr[-300:]
        found[name] = json.loads(done.stdout)["verdict"]
    assert found == dict.fromkeys(found, "supported"), found
    return found
