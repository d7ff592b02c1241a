"""What may be spent beside training without its being noticed: a token bucket of seconds. No torch."""

import contextlib
import time
from collections.abc import Iterator


class Budget:
    """Some seconds at once, then a share of the time that passes.

    What something costs is known afterwards only, so it may end in debt, which is waited off.
    """

    def __init__(self, at_once: float, share: float) -> None:
        """`at_once`: seconds that may be saved up, and are there from the start. `share`: of each second."""
        self._at_once = self._left = at_once
        self._share = share
        self._refilled = time.perf_counter()

    @property
    def is_spent(self) -> bool:
        """Nothing is left at this moment."""
        now = time.perf_counter()
        self._left = min(self._left + self._share * (now - self._refilled), self._at_once)
        self._refilled = now
        return self._left <= 0

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """What is done inside is paid for, whether or not anything is left."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._left -= time.perf_counter() - start
