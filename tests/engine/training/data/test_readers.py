"""The processes that read a Dataset ahead, when signals come to all, or their parent is killed."""

import gc
import multiprocessing as mp
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch.utils.data import TensorDataset

from engine.training.data.loaded import LoadedSamples

PATIENCE = 60.0

TRAINING = """
import os, time
import torch
from torch.utils.data import TensorDataset
from torch.utils.data._utils import worker
from engine.training.data.loaded import LoadedSamples

training, Watchdog = os.getpid(), worker.ManagerWatchdog

def late():
    print(os.getpid(), flush=True)
    while os.getppid() == training:
        time.sleep(0.001)
    return Watchdog()

worker.ManagerWatchdog = late
values = torch.arange(64.0).unsqueeze(1)
source = LoadedSamples(TensorDataset(values, values), torch.device("cpu"), 0, workers=1)
source.begin(None, 1)
source.expect(lambda: [(0, 4)])
source.take(0, 4)
"""
"""Trains with a reader that looks after its parent for the first time once that has ended."""

needs_signals = pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="needs sigtimedwait")


@needs_signals
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


@needs_signals
def test_one_ends_with_a_training_that_is_killed_before_it_has_begun() -> None:
    with subprocess.Popen([sys.executable, "-c", TRAINING], stdout=subprocess.PIPE) as training:
        assert training.stdout is not None
        reader = int(training.stdout.readline())
        training.kill()
        try:
            training.communicate(timeout=PATIENCE)  # until the reader has closed its output, too
        except subprocess.TimeoutExpired:
            os.kill(reader, signal.SIGKILL)
            raise
