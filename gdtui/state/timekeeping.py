"""The screen's clock: seconds in which any variant trained. Pure arithmetic; reads no clock.

Logs are read one after the other: for a stored run, one variant's whole log comes before the next
one's. So spans arrive in any order and may overlap; overlaps count once.
"""

from bisect import bisect_left, bisect_right


class Timekeeper:
    """The union of the spans in which variants trained. Times are seconds since a fixed instant."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}
        self._begins: list[float] = []
        self._ends: list[float] = []
        """Ends of the closed spans, which are disjoint and in order; see `_begins`."""

    def tell(self, name: str, *, goes: bool, at: float) -> None:
        """Note that the variant with this name began training then, or stopped."""
        if goes:
            self._open.setdefault(name, at)
        elif name in self._open:
            self._close(self._open.pop(name), at)

    def _close(self, begin: float, end: float) -> None:
        if end <= begin:
            return
        first = bisect_left(self._ends, begin)
        last = bisect_right(self._begins, end)
        if first < last:
            begin, end = min(begin, self._begins[first]), max(end, self._ends[last - 1])
        self._begins[first:last], self._ends[first:last] = [begin], [end]

    def seconds(self, now: float) -> float:
        """Seconds up to `now` in which any variant trained."""
        closed = list(zip(self._begins, self._ends, strict=True))
        if not self._open:
            return sum(end - begin for begin, end in closed)
        since = min(self._open.values())
        before = sum(min(end, since) - begin for begin, end in closed if begin < since)
        return before + max(now, since, *self._ends[-1:]) - since
