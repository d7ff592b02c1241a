"""Hosts that are killed while they train, with a screen attached; no worker outlives them.

    python tests/trouble/host_kills.py [--rounds 20] [--seed 0]

Prints the seconds from the kill until the last worker was gone. All that was logged must still be
there, and the screen must say what happened.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from host_trouble import kill_host

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        seconds = [
            kill_host(Path(folder) / str(count), chance.uniform(0, 1.5))
            for count in range(options.rounds)
        ]
    print("seconds until no worker was left, each time:")
    print(" ".join(f"{each:.2f}" for each in sorted(seconds)))
    print(f"the longest {max(seconds):.2f}; goal ≤ 2")
