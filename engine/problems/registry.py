"""The problems that come with gdtui: a registry that lists them without importing torch.

Each problem is a module, imported by the process that loads it, with `make(seed) -> Problem`, or
`make(seed, data) -> Problem` if its data come from a file.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

import msgspec

from engine.problem import Problem
from engine.settings import FULL, DataSettings, SettingsError


class ProblemListing(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a problem that are known before it is loaded."""

    name: str
    summary: str
    model: str
    samples: int | None
    """Number of training samples; None if unknown before loading."""
    suffixes: tuple[str, ...] = ()
    """Suffixes of the files that its data may come from."""
    needs_file: bool = False
    needs_extra: bool = False
    """True if it needs the packages that only `gdtui[data]` installs."""
    defaults: Mapping[str, Any] = {}
    """Suggested settings by option name, as in `Problem.defaults`."""

    @property
    def must_load(self) -> bool:
        """True if its facts are only known after loading."""
        return self.samples is None or self.needs_extra


_TABULAR: Final = {"batch_sizes": (512, 128, 32), "lr": 0.1, "epochs": 30}
_OWN: Final = {**_TABULAR, "lr": 0.01}
"""Defaults for unknown features: with a hundred correlated features, lr 0.1 already diverges."""
_IMAGES: Final = {"batch_sizes": (256, 128, 32), "lr": 0.1, "epochs": 30}
"""The lesson's ranges: tabular data 32–512, images 32–256 samples a batch."""

LISTINGS: Final[tuple[ProblemListing, ...]] = (
    ProblemListing(
        name="synthetic",
        summary="the lesson: is a noisy score of 10 features above 0?",
        model="logistic regression",
        samples=2000,
    ),
    ProblemListing(
        name="quadratic",
        summary="a line through points: the same curvature everywhere, 15",
        model="least squares",
        samples=256,
        defaults={"batch_sizes": (FULL, 16), "lr": 0.02, "epochs": 100},
    ),
    ProblemListing(
        name="breast-cancer",
        summary="is a tumour benign? 30 measurements of 569 patients",
        model="logistic regression",
        samples=456,
        needs_extra=True,
        defaults={"batch_sizes": (FULL, 32, 1), "lr": 0.01, "epochs": 30},
    ),
    ProblemListing(
        name="digits",
        summary="which digit is it? 1,797 handwritten ones of 64 pixels",
        model="MLP",
        samples=1438,
        needs_extra=True,
        defaults=_TABULAR,
    ),
    ProblemListing(
        name="digits-cnn",
        summary="the same digits as images",
        model="small CNN",
        samples=1438,
        needs_extra=True,
        defaults=_IMAGES,
    ),
    ProblemListing(
        name="mnist",
        summary="which class is the image? --data mnist.npz: x_train, y_train, x_test, y_test",
        model="small CNN",
        samples=None,
        suffixes=(".npz",),
        needs_file=True,
        defaults={**_IMAGES, "epochs": 5},
    ),
    ProblemListing(
        name="char-lm",
        summary="which character comes next? in Python's documentation, or --data book.txt",
        model="tiny transformer",
        samples=None,
        suffixes=("",),
        # Two ways to use 32 samples per update, which draw the same curve thanks to accumulation.
        defaults={
            "batch_sizes": (4, 8, 32),
            "accumulation": (1, 4, 1),
            "optimizer": "adamw",
            "lr": 0.003,
            "epochs": 3,
            "pace": "free",
        },
    ),
    ProblemListing(
        name="table",
        summary="a column of your own table: --data houses.csv --target price",
        model="linear or --model mlp:64,64",
        samples=None,
        suffixes=(".csv", ".tsv", ".parquet", ".pq", ".data"),
        needs_file=True,
        needs_extra=True,
        defaults=_OWN,
    ),
    ProblemListing(
        name="arrays",
        summary="your own arrays X and y: --data points.npz",
        model="linear or --model mlp:64,64 or cnn",
        samples=None,
        suffixes=(".npz",),
        needs_file=True,
        defaults=_OWN,
    ),
)


def find(name: str) -> ProblemListing:
    """The listing of this name; if there is none, a SettingsError that lists the problems."""
    return find_listing("problem", LISTINGS, name, "FILE.py[:FUNCTION]")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


NamedT = TypeVar("NamedT", bound=_Named)


def find_listing(kind: str, listings: Sequence[NamedT], name: str, other: str = "") -> NamedT:
    """The listing of this name; else a SettingsError that names the listings, and `other`."""
    for listing in listings:
        if listing.name == name:
            return listing
    known = ", ".join(listing.name for listing in listings)
    raise SettingsError(f"unknown {kind} {name!r}: choose from {known}{other and f', or {other}'}")


def load(name: str, seed: int, data: DataSettings | None = None) -> Problem:
    """Import the problem and make its data; only in loaders and workers, since it imports torch.

    Raises SettingsError for data that cannot be used.
    """
    listing = find(name)
    module = importlib.import_module(f"engine.problems.builtin.{listing.name.replace('-', '_')}")
    if listing.needs_file and data is None:
        raise SettingsError(f"problem {name} needs a file of yours: use --data FILE")
    problem: Problem = module.make(seed, data) if listing.suffixes else module.make(seed)
    return replace(problem, defaults={**listing.defaults, **problem.defaults})
