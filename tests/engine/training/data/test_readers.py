"""The processes that read a Dataset ahead, when signals come to all processes of a job."""

import gc
import multiprocessing as mp
import signal
import subprocess
import time

import pytest
import torch
from torch.utils.data import TensorDataset

from engine.training.data.loaded import LoadedSamples

PATIENCE = 60.0


@pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="needs sigwaitinfo")
def test_they_read_on_after_a_signal_of_a_scheduler_and_end_with_the_source() -> None:
    values = torch.arange(64.0).unsqueeze(1)
    source = LoadedSamples(TensorDataset(values, values), torch.device("cpu"), 0, workers=1)
    source.begin(None, 1)
    spans = [(start, start + 4) for start in range(0, 64, 4)]
    source.expect(lambda: spans)
    source.take(*spans[0])
    (reader,) = mp.active_children()
    subprocess.run(["kill", "-TERM", str(reader.pid)], check=True)  # not from its parent
    for start, stop in spans[1:]:
        inputs, _ = source.take(start, stop)
        assert torch.equal(inputs, values[start:stop])
    assert reader.is_alive()
    del source
    gc.collect()
    deadline = time.monotonic() + PATIENCE
    while reader.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
