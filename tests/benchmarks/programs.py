"""Cost of reading and recording what a program prints, in each form.

    python tests/benchmarks/programs.py [--lines 10000]

Prints the CPU time for 10,000 lines, which a program may print in a second.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.log.directory import RunDirectory
from engine.programs import PROGRAM
from engine.programs.journal import UNKNOWN_SETTINGS
from engine.programs.recording import ProgramRecording
from engine.settings import RunSettings, Variant

_PORTION: Final = 1 << 12
FORMS: Final[dict[str, Callable[[int], str]]] = {
    "tqdm": lambda k: (
        f"\r {k % 100:3d}%|█████     | {k}/999999 [00:01<00:01, 49it/s, loss={1 / k:.5f}, lr=0.1]"
    ),
    "HF Trainer": lambda k: (
        f"{{'loss': {1 / k:.4f}, 'grad_norm': 1.2, 'learning_rate': 0.1, 'epoch': {k / 1e3:.2f}}}\n"
    ),
    "nanoGPT": lambda k: f"iter {k}: loss {1 / k:.4f}, time 12.34ms, mfu 1.2%\n",
    "key: value": lambda k: f"12:30:{k % 60:02d} INFO step {k} | loss {1 / k:.4f} | acc: 0.5\n",
    "gaps of 10": lambda k: f"step {10 * k}: loss {1 / k:.4f}\n",
    "other text": lambda k: f"some other text {k} that is printed: nothing of a training\n",
}


def seconds(path: Path, output: bytes) -> float:
    """CPU seconds that it takes to record an output."""
    variant = Variant(name="program", settings=UNKNOWN_SETTINGS)
    settings = RunSettings(variants=(variant,), device=PROGRAM, is_script=True)
    recording = ProgramRecording(RunDirectory.create(path, settings, "0"))
    began = time.process_time()
    for start in range(0, len(output), _PORTION):
        recording.take(1, output[start : start + _PORTION])
    taken = time.process_time() - began
    recording.end(0, is_asked=False)
    return taken


def main() -> None:
    """Print the cost of each form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        for place, (form, line) in enumerate(FORMS.items()):
            output = "".join(map(line, range(1, lines + 1))).encode()
            taken = seconds(Path(folder) / str(place), output)
            print(f"{form:<12} {taken * 10_000 / lines:.2f} s CPU for 10,000 lines")


if __name__ == "__main__":
    main()
