"""The experiments that come with gdtui: a registry that lists them without importing torch.

Each experiment is a module with `run(seeds, device, progress, store) -> Report`, imported only to
run it.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from engine.experiments.report import Report
from engine.problems.registry import find_listing

if TYPE_CHECKING:
    import torch

    from engine.experiments.arm_store import ArmStore
    from engine.jobs.messages import ReportProgress

DEFAULT_SEEDS: Final = 20
MOST_SEEDS: Final = 1_000
LEAST_SEEDS: Final = 2
"""A single seed has no spread, and so no interval."""


class ExperimentListing(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about an experiment that are known before it runs."""

    name: str
    claim: str
    """The lesson's claim, in one sentence."""
    source: str
    """The publication of the claim, or of the problem used to test it."""


LISTINGS: Final[tuple[ExperimentListing, ...]] = (
    ExperimentListing(
        name="saddle",
        claim="Gradient noise leaves a saddle point; full-batch gradient descent stays on it.",
        source="Ge et al. 2015, arXiv:1503.02101; rank-one PCA: Baldi & Hornik 1989",
    ),
    ExperimentListing(
        name="sharp-minimum",
        claim="Small batches bounce out of a sharp minimum into a flat one; full batch stays put.",
        source="Keskar et al. 2017, arXiv:1609.04836; rates of escape: Kramers 1940",
    ),
    ExperimentListing(
        name="flat-generalises",
        claim="Small batches end in flatter minima than large ones, and do better on unseen data.",
        source="Hochreiter & Schmidhuber 1997; Keskar et al. 2017, arXiv:1609.04836",
    ),
    ExperimentListing(
        name="linear-scaling",
        claim="With the lr scaled linearly with the batch, all batch sizes train along one curve.",
        source="Goyal et al. 2017, arXiv:1706.02677; square root: Krizhevsky 2014, arXiv:1404.5997",
    ),
    ExperimentListing(
        name="grow-batch",
        claim="Growing the batch instead of decaying the lr ends at the same loss in fewer "
        "updates.",
        source="Smith et al. 2018, arXiv:1711.00489",
    ),
    ExperimentListing(
        name="accumulation",
        claim="Accumulating k batches of b trains exactly like one batch of k·b, in less memory.",
        source="the mean's gradient is the weighted mean of the parts' gradients",
    ),
)


def find(name: str) -> ExperimentListing:
    """The listing of this name; if there is none, a SettingsError that lists the experiments."""
    return find_listing("experiment", LISTINGS, name)


def run(
    name: str,
    seeds: Sequence[int],
    device: "torch.device",
    progress: "ReportProgress",
    store: "ArmStore | None" = None,
) -> Report:
    """Run an experiment in this process, which should be a separate one: this imports torch.

    `store`: the arms that are done already; `progress` should then be its `report`.
    Raises SettingsError for an unknown name, and if an optional package is not installed.
    """
    module = importlib.import_module(
        f"engine.experiments.claims.{find(name).name.replace('-', '_')}"
    )
    report: Report = module.run(seeds, device, progress, store)
    return report
