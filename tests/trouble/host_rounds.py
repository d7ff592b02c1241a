"""Rounds of trouble made by the clients of one host; its losses must be those undisturbed.

    python tests/trouble/host_rounds.py [--rounds 100] [--seed 0] [--epochs 600] [--stop] [--app]

A round is one of: rubbish, half a message, a flood or a connection that is cut; the host stopped
for a moment or sent SIGHUP; its socket moved away; clients that attach, detach and press keys; a
screen that is killed or stopped, or whose terminal hangs up. The run trains meanwhile, and must end
by itself, whole. With --stop, `gdtui stop` ends it after the last round. With --app, the app began
it, and was killed; otherwise `gdtui train --detach` did.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from host_trouble import trouble_host

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--app", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = trouble_host(
            Path(folder),
            rounds=options.rounds,
            seed=options.seed,
            epochs=options.epochs,
            is_stopped=options.stop,
            is_in_app=options.app,
        )
    for name, count in sorted(Counter(done).items()):
        print(f"{count:4} {name.strip('_').replace('_', ' ')}")
    print("the losses equal those of the undisturbed run")
