"""Ten rounds of trouble for a host; `python tests/trouble/host_rounds.py` plays a hundred."""

from pathlib import Path

import pytest
from host_trouble import trouble_host


@pytest.mark.slow
def test_no_client_changes_a_loss(tmp_path: Path) -> None:
    done = trouble_host(tmp_path, rounds=10, seed=2345, epochs=40)
    assert len({*done}) == 10  # each kind once, of which only one needs a screen
