"""Rounds of trouble made to the real program, and what came of them.

    python tests/trouble/rounds.py [--rounds 20] [--kinds kill,stop,clock,removed] [--seed 0]

Each round starts the program anew, kills, stops or removes something at a random moment, and checks
that it is told, that no logged row is lost, and that the terminal is as it was before.
"""

import argparse
import statistics
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from trouble import SCENES, Round


def report(kinds: list[str], rounds: int, seed: int) -> int:
    """Play all rounds of these kinds; the number that failed."""
    failures = 0
    for kind in kinds:
        for scene in SCENES[kind]:
            told: list[float] = []
            failed = 0
            for number in range(rounds):
                with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                    this = Round(Path(folder), seed + number)
                    try:
                        scene(this)
                    except Exception:
                        failed += 1
                        print(f"{scene.__name__}, round {seed + number}:", file=sys.stderr)
                        traceback.print_exc()
                    told += this.told
            shown = f"told after {figures(told)}" if told else "nothing to tell"
            print(f"{scene.__name__}: {rounds - failed} of {rounds} rounds; {shown}", flush=True)
            failures += failed
    return failures


def figures(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s (at most {max(seconds):.2f} s)"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kinds", default=",".join(SCENES))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(1 if report(options.kinds.split(","), options.rounds, options.seed) else 0)
