"""Ten rounds of trouble for a host; `python tests/trouble/host_rounds.py` plays a hundred."""

from pathlib import Path

from host_trouble import trouble_host


def test_no_client_changes_a_loss(tmp_path: Path) -> None:
    trouble_host(tmp_path, rounds=10, seed=1, epochs=60)
