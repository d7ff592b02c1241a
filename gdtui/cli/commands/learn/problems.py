"""`gdtui problems`: what there is to train on, told without loading any of it."""

import sys

import msgspec

from engine.problems.registry import LISTINGS, ProblemListing

_NOTES = """\
Begin with: gdtui --problem digits. Batch sizes, lr and epochs then fit it, unless an option says otherwise.
* needs scikit-learn and pandas: python -m pip install 'gdtui[data]'"""


def show(*, as_json: bool) -> int:
    """Print the problems; returns the exit status."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode({"problems": LISTINGS}) + b"\n")
        return 0
    width = max(map(len, map(_name, LISTINGS)))
    for listing in LISTINGS:
        print(f"{_name(listing):<{width}}  {_about(listing)}")
    print(f"\n{_NOTES}")
    return 0


def _name(listing: ProblemListing) -> str:
    return listing.name + "*" * listing.needs_extra


def _about(listing: ProblemListing) -> str:
    parts = [listing.summary, listing.model]
    if listing.samples is not None:
        parts.append(f"{listing.samples:,} samples")
    return " · ".join(parts)
