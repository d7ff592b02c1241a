"""Does gdtui do on a GPU what its README says? One line a check.

    python tests/gpu/check.py                  # on the first CUDA card: a few minutes
    python tests/gpu/check.py --device cpu     # a dry run: all that does not need a card

Each check is a command that a user would type, or the engine's own function; FAIL says what was
expected, SKIP what it waits for. `--json FILE` keeps the figures.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import of_measuring  # noqa: E402
import of_memory  # noqa: E402
import of_training  # noqa: E402
from running import Check, Place, SkipCheck  # noqa: E402

CHECKS: Final[tuple[Check, ...]] = (
    of_training.fork_is_clean,
    of_training.lesson,
    of_training.same_seed_same_losses,
    of_training.accumulation,
    of_training.data_on_host_device_and_loaded,
    of_training.loss_with_tensors,
    of_memory.out_of_memory,
    of_memory.device_assert,
    of_memory.restart_after_assert,
    of_memory.isolation,
    of_memory.memory_of_processes,
    of_measuring.measured,
    of_measuring.sweep,
    of_measuring.experiments,
    of_training.compiled,
    of_training.throughput,
    of_training.large_model,
    of_memory.nothing_is_left,
)


def run(check: Check, place: Place) -> dict[str, Any]:
    """The verdict on one check, with what it found and the seconds that it took."""
    start = time.monotonic()
    try:
        verdict, found = "PASS", check(place)
    except SkipCheck as reason:
        verdict, found = "SKIP", str(reason)
    except Exception as error:
        verdict, found = "FAIL", f"{type(error).__name__}: {error}"[:700]
    return {"verdict": verdict, "found": found, "seconds": round(time.monotonic() - start, 1)}


def main() -> int:
    """Run the checks; the exit status is the number of failures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--device", default="cuda", help="the device under check")
    parser.add_argument("--only", default="", help="names of checks, separated by commas")
    parser.add_argument("--until", type=float, default=540.0, help="seconds to begin checks in")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    place, start, results = Place(options.device), time.monotonic(), {}
    for check in CHECKS:
        name = check.__name__
        if options.only and name not in options.only.split(","):
            continue
        if time.monotonic() - start > options.until:
            results[name] = {"verdict": "SKIP", "found": "no time was left", "seconds": 0.0}
        else:
            results[name] = run(check, place)
        one = results[name]
        print(f"{one['verdict']}  {name} ({one['seconds']} s): {one['found']}", flush=True)
    place.close()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return min(sum(each["verdict"] == "FAIL" for each in results.values()), 100)


if __name__ == "__main__":
    sys.exit(main())
