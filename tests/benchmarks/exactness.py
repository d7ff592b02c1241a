"""Does the compiled step train as the eager one? Real builds, three epochs, one line a case.

    python tests/benchmarks/exactness.py [--only NAME,…] [--jobs 2] [--folder DIR] [--json FILE]

In each case two trainers go through the same epochs, one by the compiled step from its second
update on. Printed is the largest difference of a weight, of the optimiser's state and of a logged
loss, each relative to the largest value of its tensor. FAIL: above the tolerance of the case, or
another reason than the expected one for having no compiled step. Programs come from DIR if they are
there; without them, a case takes up to a minute.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from exact_problems import (
    Averaged,
    Branching,
    Noisy,
    Recurrent,
    Signed,
    Tied,
    built_in,
    ignored_tokens,
    layers,
    mlp,
    narrow,
    norm_layers,
    regression,
    sparse,
    spectral_norm,
    two_groups,
    weight_norm,
)

from engine.problem import Problem
from engine.problems.registry import load
from engine.settings import FULL, LrSchedule, Precision, VariantSettings
from engine.training.compiled.block import CompiledBlock
from engine.training.compiled.build import Build, build
from engine.training.compiled.cache.programs import BuildCache
from engine.training.compiled.spec import UnsuitedError
from engine.training.compiled.suitability import short_group, spec_of
from engine.training.execution.calls import EndBlock
from engine.training.trainer import Trainer

EPOCHS: Final = 3
EXACT: Final = 1e-10
"""Largest difference in float64."""
NARROW: Final = 1e-5
"""The same in float32."""
_LEAST: Final = 1e-5
"""Values below are rounding, such as the gradient of a bias before batch norm."""
ROUNDED: Final = 1e-6
"""Largest difference of logged losses, which are float32."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A problem with settings, and what may come of it."""

    make: Callable[[], Problem]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = EXACT
    threads: int = 1
    updates: int = 3
    """Largest number of updates in a call: few, to be built quickly; 0 for as many as in use."""
    has_end: bool = False
    """True if the short group that ends an epoch is compiled, too."""
    reason: str = ""
    """Part of the reason for having no compiled step; "" if there must be one."""


# --- Cases --------------------------------------------------------------------------------------

COSINE: Final = {"schedule": LrSchedule.COSINE, "warmup": 0.2}
ADAMW: Final = {"optimizer": "adamw(weight_decay=0.1)", "lr": 0.003}
MOMENTUM: Final = {"momentum": 0.9}
OPTIMIZERS: Final = {
    "adam": "adam(amsgrad=True, weight_decay=0.1)",
    "nadam": "nadam",
    "radam": "radam",
    "adamax": "adamax",
    "adagrad": "adagrad(lr_decay=0.1)",
    "adadelta": "adadelta",
    "asgd": "asgd",
    "rprop": "rprop",
    "rmsprop": "rmsprop(centered=True)",
    "nesterov": "sgd(momentum=0.9, nesterov=True, weight_decay=0.1)",
    "adafactor": "adafactor",
}

UNTRACED: Final = ("radam", "asgd", "adafactor")
"""Those of them that decide by their step count."""

char_lm = partial(built_in, "char-lm", 400)
digits = partial(built_in, "digits")
digits_cnn = partial(built_in, "digits-cnn")
synthetic = partial(built_in, "synthetic")

CASES: Final[dict[str, Case]] = {
    "synthetic sgd, batch 1": Case(make=synthetic, updates=0, settings={"batch_size": 1}),
    "synthetic sgd, batch 64": Case(make=synthetic, updates=0, settings={"batch_size": 64}),
    "synthetic full": Case(make=synthetic, settings={"batch_size": FULL}),
    "synthetic adamw": Case(make=synthetic, settings={"batch_size": 7, **ADAMW, **COSINE}),
    "synthetic accumulation, ragged": Case(has_end=True,
        make=synthetic, settings={"batch_size": 7, "accumulation_steps": 3, **MOMENTUM}
    ),
    "synthetic all": Case(has_end=True,
        make=synthetic,
        settings={
            "batch_size": 9, "accumulation_steps": 2, "clip": 0.1, **COSINE, **ADAMW
        },
    ),
    "synthetic drop_last": Case(make=synthetic, settings={"batch_size": 48, "drop_last": True}),
    "synthetic bf16": Case(
        make=partial(load, "synthetic", 0),
        settings={"batch_size": 64, "precision": Precision.BF16},
        tolerance=3e-2,
    ),
    "digits sgd": Case(make=digits, updates=0, settings={"batch_size": 32, "lr": 0.1}),
    "digits momentum, clip": Case(
        make=digits, settings={"batch_size": 32, "lr": 0.1, "clip": 0.5, **MOMENTUM}
    ),
    "digits adamw, cosine": Case(make=digits, settings={"batch_size": 64, **ADAMW, **COSINE}),
    "digits accumulation": Case(
        make=digits, settings={"batch_size": 16, "accumulation_steps": 3, "lr": 0.1, **MOMENTUM}
    ),
    "digits batch 1": Case(make=partial(built_in, "digits", 301), settings={"batch_size": 1}),
    "digits 2 threads": Case(make=digits, settings={"batch_size": 128, "lr": 0.1}, threads=2),
    "digits bf16": Case(
        make=partial(load, "digits", 0),
        settings={"batch_size": 32, "lr": 0.01, "precision": Precision.BF16},
        tolerance=3e-2,
    ),
    "digits-cnn momentum": Case(
        make=digits_cnn, settings={"batch_size": 64, "lr": 0.05, **MOMENTUM}, updates=0
    ),
    "digits-cnn all": Case(
        make=digits_cnn,
        settings={"batch_size": 32, "accumulation_steps": 2, "clip": 1.0, **ADAMW, **COSINE},
    ),
    "digits-cnn 2 threads": Case(
        make=digits_cnn, settings={"batch_size": 128, "lr": 0.05}, threads=2
    ),
    "char-lm sgd": Case(make=char_lm, updates=0, settings={"batch_size": 32, "lr": 0.1}),
    "char-lm adamw": Case(
        make=char_lm, settings={"batch_size": 32, "clip": 1.0, **ADAMW, **COSINE}
    ),
    "char-lm whole": Case(
        make=partial(built_in, "char-lm"), settings={"batch_size": 32, **MOMENTUM, "lr": 0.05}
    ),
    "char-lm bf16": Case(
        make=partial(narrow, "char-lm", 400),
        settings={"batch_size": 32, "lr": 0.1, "precision": Precision.BF16},
        tolerance=3e-2,
    ),
    **{
        f"{name} float32": Case(
            make=partial(narrow, name, 400),
            settings={"batch_size": 16, "lr": 0.05, **MOMENTUM},
            tolerance=NARROW,
        )
        for name in ("synthetic", "digits", "char-lm")
    },
    "ignored tokens": Case(has_end=True,
        make=ignored_tokens, settings={"batch_size": 7, "accumulation_steps": 2, **MOMENTUM}
    ),
    "ignored tokens, adamw": Case(make=ignored_tokens, settings={"batch_size": 16, **ADAMW}),
    "dropout": Case(
        make=lambda: layers(
            lambda: nn.Linear(8, 16), lambda: nn.Dropout(0.5), nn.ReLU, lambda: nn.Linear(16, 1)
        ),
        settings={"batch_size": 8, "lr": 0.05, **MOMENTUM},
    ),
    "draws": Case(make=lambda: regression(Noisy), settings={"batch_size": 8, **ADAMW}),
    "batch norm": Case(
        make=lambda: norm_layers(lambda: nn.BatchNorm1d(8)),
        settings={"batch_size": 8, "lr": 0.05, **MOMENTUM},
    ),
    "batch norm without momentum": Case(
        make=lambda: norm_layers(lambda: nn.BatchNorm1d(8, momentum=None)),  # type: ignore[arg-type]
        settings={"batch_size": 8, "lr": 0.05},
        reason="depends on the values",
    ),
    "group norm": Case(
        make=lambda: norm_layers(lambda: nn.GroupNorm(2, 8)), settings={"batch_size": 8, **ADAMW}
    ),
    "tied, frozen, unused": Case(
        make=lambda: regression(Tied), settings={"batch_size": 8, "clip": 0.5, **ADAMW}
    ),
    "weight norm": Case(
        make=weight_norm,
        settings={"batch_size": 8, "lr": 0.05, **MOMENTUM},
        reason="no code for one of the operations",
    ),
    "spectral norm": Case(make=spectral_norm, settings={"batch_size": 8, "lr": 0.05}),
    "lstm": Case(make=lambda: regression(Recurrent), settings={"batch_size": 16, **ADAMW}),
    "gru": Case(
        make=lambda: regression(lambda: Recurrent(nn.GRU)), settings={"batch_size": 16, "lr": 0.05}
    ),
    "moving average": Case(make=lambda: regression(Averaged), settings={"batch_size": 8}),
    "own optimiser class": Case(
        make=lambda: regression(lambda: nn.Linear(8, 1), optimizer=Signed),
        settings={"batch_size": 8, "optimizer": "own"},
        reason="its own optimiser",
    ),
    "an lr for each group": Case(
        make=lambda: regression(lambda: nn.Linear(8, 1), optimizer=two_groups),
        settings={"batch_size": 8, "optimizer": "own"},
        reason="its own optimiser",
    ),
    "data-dependent path": Case(
        make=lambda: regression(Branching),
        settings={"batch_size": 8},
        reason="depends on the values",
    ),
    "sparse gradients": Case(make=sparse, settings={"batch_size": 8}, reason="are sparse"),
    **{
        f"optimiser {name}": Case(
            make=mlp,
            settings={"batch_size": 8, "lr": 0.003, "optimizer": optimizer},
            reason="depends on the values" if name in UNTRACED else "",
        )
        for name, optimizer in OPTIMIZERS.items()
    },
}  # fmt: skip


# --- Both executions ----------------------------------------------------------------------------


def difference(mine: Tensor, theirs: Tensor) -> float:
    """The largest difference, relative to the largest value."""
    mine, theirs = mine.detach().double(), theirs.detach().double()
    if not mine.numel():
        return 0.0
    return float((mine - theirs).abs().max() / theirs.abs().max().clamp_min(_LEAST))


def states(trainer: Trainer) -> Iterator[Tensor]:
    """The tensors of the optimiser's state."""
    for parameter in trainer.objective.parameters:
        for each in trainer.recipe.optimizer.state[parameter].values():
            if isinstance(each, Tensor):
                yield each


class Training:
    """A trainer on its way, with what it would log."""

    def __init__(self, problem: Problem, settings: VariantSettings) -> None:
        self.trainer = Trainer(problem, settings, 0, torch.device("cpu"), epochs=EPOCHS)
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.counts = np.zeros(3, int)
        """Batches in chunks with calls of the compiled step, clipped updates, samples."""
        self.advance(self.trainer.batches_for(1))

    def advance(self, batches: int) -> None:
        chunk = self.trainer.advance(batches)
        self.losses += np.frombuffer(chunk.losses, "<f4").tolist()
        updates = chunk.last_update - chunk.update + 1
        self.lrs += [*chunk.lrs] * (updates if len(chunk.lrs) == 1 else 1)
        self.counts += (chunk.compiled and chunk.batches, chunk.clipped, 0)

    def finish(self) -> float:
        """Go on to the end; return the seconds that it took."""
        start = time.perf_counter()
        while self.trainer.epoch < EPOCHS or not self.trainer.at_epoch_end:
            self.advance(1 << 20)
        return time.perf_counter() - start


def loaded(made: Build, trainer: Trainer) -> CompiledBlock:
    """A program at work for a trainer."""
    return CompiledBlock.load(Path(made.path), trainer.objective, trainer.recipe)


def compare(name: str, folder: Path) -> dict[str, Any]:
    """The figures of a case, or the reason why there is no compiled step."""
    case = CASES[name]
    torch.set_num_threads(case.threads)
    problem = case.make()
    settings = VariantSettings(**{"batch_size": 32, **case.settings})
    mine = Training(problem, settings)
    draws = torch.get_rng_state()
    try:
        spec = spec_of(mine.trainer)
        spec = spec.with_updates(min(case.updates or spec.updates, spec.updates))
        made = build(problem, spec, 0, BuildCache(folder))
        assert made is not None
        block = loaded(made, trainer := mine.trainer)
        if case.has_end and (short := short_group(trainer)):
            made = build(problem, spec.with_short_group(short), 0, BuildCache(folder))
            assert made is not None
            trainer.use(block, EndBlock(loaded(made, trainer), short))
        else:
            trainer.use(block)
    except UnsuitedError as error:
        return {"reason": str(error)}
    torch.set_rng_state(draws)
    seconds = mine.finish()
    drawn = torch.get_rng_state()
    eager = Training(problem, settings)
    eagerly = eager.finish()
    assert mine.trainer.position.updates == eager.trainer.position.updates
    assert mine.lrs == eager.lrs, "other lrs"
    assert mine.counts[1] == eager.counts[1], "other updates are clipped"
    weights = zip(*(each.trainer.model.state_dict().items() for each in (mine, eager)), strict=True)
    by_weight = {one[0]: difference(one[1], other[1]) for one, other in weights}
    worst = max(by_weight, key=lambda each: by_weight[each])
    state = [
        difference(*pair) for pair in zip(*map(states, (mine.trainer, eager.trainer)), strict=True)
    ]
    return {
        "weights": by_weight[worst],
        "worst": worst,
        "state": max(state, default=0.0),
        "losses": difference(torch.tensor(mine.losses), torch.tensor(eager.losses)),
        "draws": torch.equal(drawn, torch.get_rng_state()),
        "compiled": int(mine.counts[0]),
        "batches": mine.trainer.batches,
        "updates a call": trainer.block.updates if trainer.block else 0,
        "build": made.seconds,
        "speed": eagerly / seconds,
    }


def verdict(case: Case, found: Mapping[str, Any]) -> str:
    """PASS, or FAIL."""
    if "reason" in found:
        return "PASS" if case.reason and case.reason in found["reason"] else "FAIL"
    worst = max(found["weights"], found["state"])
    is_close = worst <= case.tolerance and found["losses"] <= max(case.tolerance, ROUNDED)
    is_right = is_close and found["draws"] and found["compiled"] and not case.reason
    return "PASS" if is_right else "FAIL"


def line(found: Mapping[str, Any]) -> str:
    """The figures as a line."""
    if "reason" in found:
        return str(found["reason"])
    return (
        f"weights {found['weights']:.1e} ({found['worst']}), state {found['state']:.1e}, "
        f"losses {found['losses']:.1e}{'' if found['draws'] else ', OTHER DRAWS'}; "
        f"{found['compiled']:,} of {found['batches']:,} batches in chunks of the compiled step, "
        f"{found['updates a call']} updates a call, {found['speed']:.1f} ×, "
        f"built in {found['build']:.0f} s"
    )


def main() -> int:
    """Run the cases; the exit status is the number of failures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="parts of the names of cases, with commas")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = [each for each in CASES if any(part in each for part in options.only.split(","))]
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "builds"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["torch._inductor.compile_fx"])
        with ProcessPoolExecutor(options.jobs, context, max_tasks_per_child=1) as pool:
            running = {pool.submit(compare, name, folder): name for name in chosen}
            for done in as_completed(running):
                name = running[done]
                try:
                    found = done.result()
                    results[name] = {"verdict": verdict(CASES[name], found), **found}
                    text = line(found)
                except Exception as error:
                    text = f"{type(error).__name__}: {error}"[:700]
                    results[name] = {"verdict": "FAIL", "error": text}
                print(f"{results[name]['verdict']}  {name}: {text}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return min(sum(each["verdict"] == "FAIL" for each in results.values()), 100)


if __name__ == "__main__":
    sys.exit(main())
