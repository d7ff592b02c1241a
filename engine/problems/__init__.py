"""The problems that come with gdtui: a registry that lists them without importing torch.

One module a problem, imported when it is trained; each has `make(seed) -> Problem`.
"""

import importlib
from typing import Final

import msgspec

from engine.problem import Problem
from engine.settings import SettingsError


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a problem before it is loaded."""

    name: str
    summary: str
    model: str
    samples: int


LISTINGS: Final[tuple[Listing, ...]] = (
    Listing(
        name="synthetic",
        summary="is a noisy linear score above 0? 10 features, logistic regression",
        model="Linear(10,1)",
        samples=2000,
    ),
)


def find(name: str) -> Listing:
    """The listing of that name; SettingsError names the ones there are."""
    for listing in LISTINGS:
        if listing.name == name:
            return listing
    known = ", ".join(listing.name for listing in LISTINGS)
    raise SettingsError(f"problem {name!r}: one of {known}")


def load(name: str, seed: int) -> Problem:
    """Import the problem and make its data; for workers, since this imports torch."""
    module = importlib.import_module(f"engine.problems.{find(name).name}")
    problem: Problem = module.make(seed)
    return problem
