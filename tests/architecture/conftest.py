"""The sources are parsed once for all rules."""

from collections.abc import Iterator

import pytest
from source_tree import forget


@pytest.fixture(autouse=True, scope="package")
def _sources_forgotten() -> Iterator[None]:
    yield
    forget()
