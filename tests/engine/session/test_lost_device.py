"""A GPU context that is lost, as text alone: a restart brings another process."""

from pathlib import Path

from sessions import ENDED, StartRun

from engine.log.records import State, WorkerReplaced
from engine.settings import VariantSettings

FILE = """
from pathlib import Path
import torch
from torch import nn
from engine import Problem

marker = Path(__file__).with_name("lost")

class Net(nn.Linear):
    def forward(self, x):
        if self.training and not marker.exists():
            marker.touch()
            raise torch.AcceleratorError("CUDA error: device-side assert triggered")
        return super().forward(x)

def problem():
    x = torch.ones(8, 2)
    return Problem(train=(x, x[:, :1]), model=lambda: Net(2, 1), loss=nn.functional.mse_loss)
"""


def test_a_restart_after_a_lost_context_is_another_process(
    start_run: StartRun, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(FILE)
    watched = start_run((4,), problem=f"{tmp_path}/net.py", epochs=2, measuring=False)
    name = watched.names[0]
    watched.until(lambda: watched.tallies[name].state is State.FAILED)
    assert "device-side assert" in watched.tallies[name].detail
    before = watched.session.pids[name]
    watched.session.pause()
    watched.session.resume()
    watched.session.restart({name: VariantSettings(batch_size=2)})
    watched.until(lambda: watched.states() == ENDED)
    assert watched.session.pids[name] != before
    assert watched.tallies[name].settings.batch_size == 2
    assert watched.tallies[name].generation == 2
    assert watched.of(name, WorkerReplaced)
    assert watched.notices == [], "it has not died"
    watched.session.restart({name: VariantSettings(batch_size=4)})
    watched.until(lambda: watched.tallies[name].generation == 3)
    watched.until(lambda: watched.states() == ENDED)
