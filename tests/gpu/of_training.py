"""Checks of training on a GPU: exactness, data, speed."""

import json
import time

from running import PROBLEMS, Found, Place, apart, variants

DETERMINISTIC = ("synthetic", "digits", f"{PROBLEMS}:dropout")
"""Bit for bit the same from one run to the next."""
REPORTED = ("digits-cnn", "char-lm")
"""Convolutions and attention: the difference between two runs is a figure of the report."""


def fork_is_clean(place: Place) -> Found:
    """The fork server's imports leave CUDA alone, so that a worker can use it."""
    found = place.program("fork.py")
    assert found == {"clean": True, "child": 0}, found


def lesson(place: Place) -> Found:
    """All three variants finish, within 1e-4 of where they end on the CPU."""
    start = time.perf_counter()
    result, _ = place.train("--epochs", 5)
    wall = time.perf_counter() - start
    on_cpu = place.gdtui("train", "--json", "--device", "cpu", "--epochs", 5)
    cpu = variants(json.loads(on_cpu.stdout))
    found = variants(result)
    worst = max(abs(found[name]["full_loss"] - cpu[name]["full_loss"]) for name in found)
    assert all(each["state"] == "finished" for each in found.values())
    assert all(each["device"].startswith(place.device.split(":")[0]) for each in found.values())
    assert worst < 1e-4, worst
    sgd = found["SGD"]
    return {"wall_s": wall, "worst": worst, "sgd_batches_s": sgd["batches"] / sgd["seconds"]}


def same_seed_same_losses(place: Place) -> Found:
    """Two runs give the same losses, whether or not anything is measured."""
    small = [
        "--epochs", 1, "--momentum", 0, "--batch-sizes", "64", "--accumulation", 1,
        "--lr", 0.01, "--optimizer", "sgd",
    ]  # fmt: skip
    found = {}
    for name in (*DETERMINISTIC, *REPORTED) if place.is_cuda else DETERMINISTIC:
        one = place.train("--problem", name, *small)[1]
        other = place.train("--problem", name, *small, "--measuring", "off")[1]
        found[name.rpartition("/")[2]] = apart(place.losses(one), place.losses(other))
    assert all(found[name.rpartition("/")[2]] == 0.0 for name in DETERMINISTIC), found
    return found


def accumulation(place: Place) -> Found:
    """512 and 64 × 8 end within 1e-5 of each other, with convolutions too: TF32 is off."""
    found = {}
    for name in ("digits", "digits-cnn") if place.is_cuda else ("digits",):
        sizes = ("--batch-sizes", "512,64", "--accumulation", "1,8", "--epochs", 5)
        result, _ = place.train("--problem", name, *sizes)
        one, other = (each["full_loss"] for each in result["variants"])
        found[name] = abs(one - other)
    assert max(found.values()) < 1e-5, found
    return found


def data_on_host_device_and_loaded(place: Place) -> Found:
    """Data on the device, on the host, of a Dataset, by two loaders: the same losses."""
    small = ["--epochs", 2, "--batch-sizes", "64", "--lr", 0.1, "--measuring", "off"]
    ways = (
        (f"{PROBLEMS}:tensors", "--data-on", "host"),
        (f"{PROBLEMS}:dataset",),
        (f"{PROBLEMS}:dataset", "--loader-workers", 2),
    )
    run = place.train("--problem", f"{PROBLEMS}:tensors", *small, "--data-on", "device")[1]
    expected = place.losses(run)
    for way in ways:
        found = place.losses(place.train("--problem", *way, *small)[1])
        assert apart(expected, found) == 0.0, way


def loss_with_tensors(place: Place) -> Found:
    """A loss that holds class weights trains."""
    place.train("--problem", f"{PROBLEMS}:weighted", "--epochs", 1, "--batch-sizes", "64")


def compiled(place: Place) -> Found:
    """Captured updates are the eager ones, through keys for lr and batch size; a run says so."""
    found = place.program("compiled.py")
    for kind, most in (("float64", 1e-10), ("float32", 1e-5)):
        worst = max(max(pair) for pair in found[kind].values())
        assert worst < most, (kind, found[kind])
    if place.is_cuda:
        words = ("--batch-sizes", "64", "--epochs", 2000, "--lr", 0.01, "--measuring", "off")
        eager = place.train(*words)[0]["variants"][0]
        one = place.train(*words, "--compile", "on")[0]["variants"][0]
        assert one["compiled"] is not None, one["not_compiled"]
        assert abs(one["full_loss"] - eager["full_loss"]) < 1e-5 * abs(eager["full_loss"])
        found["run"] = one["compiled"]
    return found


def throughput(place: Place) -> Found:
    """Samples per second of each variant alone, of three that share the device, of a plain loop."""
    alone = {}
    for size, epochs in (("1", 3), ("64", 300), ("full", 300)) if place.is_cuda else (("64", 3),):
        words = ("--batch-sizes", size, "--epochs", epochs, "--measuring", "off")
        found = place.train(*words)[0]["variants"][0]
        alone[size] = found["samples"] / found["seconds"]
    result = place.train("--epochs", 3, "--measuring", "off")[0]
    together = {each["name"]: each["samples"] / each["seconds"] for each in result["variants"]}
    return {"alone": alone, "together": together, "plain_batch_1": place.program("plain.py")}


def large_model(place: Place) -> Found:
    """100 million parameters leave less than 200 MB on the disk."""
    start = time.perf_counter()
    words = ("--epochs", 2, "--batch-sizes", "256", "--lr", 0.01)
    result, run = place.train("--problem", f"{PROBLEMS}:wide", *words)
    wall = time.perf_counter() - start
    disk = sum(file.stat().st_size for file in run.rglob("*") if file.is_file()) / 1e6
    assert disk < 200, f"{disk:.0f} MB on the disk"
    found = result["variants"][0]
    return {
        "disk_mb": disk, "wall_s": wall, "training_s": found["seconds"],
        "peak_gb": found["peak_memory"] / 1e9,
    }  # fmt: skip
