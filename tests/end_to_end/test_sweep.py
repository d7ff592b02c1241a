"""`gdtui sweep` from outside: real arms, one after the other, and what is left of them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.log.directory import RunDirectory
from engine.log.follow import Follower

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_sweep_measures_every_column_for_every_batch_size(
    cli_in_process: Cli, tmp_path: Path
) -> None:
    line = "sweep --batch-sizes 32,500,full,4000 --epochs 2 --lr-scaling linear --seed 1 --json"
    result = cli_in_process(*line.split(), "--device", "cpu", "--run-dir", tmp_path / "arms")
    assert result.returncode == 0
    assert "exceeds the 2,000 samples" in result.stderr
    document = json.loads(result.stdout)
    rows = document["rows"]
    assert [row["batch_size"] for row in rows] == [32, 500, "full"]  # 4,000 is full, too
    assert [row["lr"] for row in rows] == pytest.approx([0.005, 0.078125, 0.3125])
    for row in rows:
        for name in ("samples_per_s", "ms_per_update", "peak_memory_mb", "loss_equal_seconds"):
            assert row[name] > 0, (row, name)
        assert row["state"] == "finished"
        assert row["seconds_to_loss"] <= document["seconds"] * 1.001
    noise = [row["gradient_noise"] for row in rows]
    assert noise[0] > noise[1] > noise[2] == 0
    # In equal time each has trained at least its epochs.
    assert rows[2]["loss_equal_seconds"] <= rows[2]["loss_equal_epochs"] + 1e-6
    assert rows[0]["loss_equal_seconds"] == pytest.approx(rows[0]["loss_equal_epochs"])
    assert document["recommendation"]["batch_size"] in (32, 500, "full")

    names = sorted(path.name for path in (tmp_path / "arms").iterdir())
    assert names[3:] == ["probe.msgpack", "sweep.json", "workers.out"]
    assert names[:3] == ["batch-gd", "mini-batch-32", "mini-batch-500"]
    for name in names[:3]:
        follower = Follower(RunDirectory.open(tmp_path / "arms" / name))
        assert list(follower.read(10**9))
        assert follower.unfinished() == []
