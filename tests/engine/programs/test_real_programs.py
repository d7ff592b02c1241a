"""Outputs of programs that really use tqdm, transformers and Lightning."""

import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from engine.programs.process import ChildProgram
from engine.programs.reader import Reader
from engine.programs.readings import HeldOut, Reading
from engine.programs.text.printed import Form

pytestmark = pytest.mark.integration

TQDM = """
import time
from tqdm import tqdm, trange
for epoch in trange(2, desc="Epochs"):
    bar = tqdm(total=40, leave=False)
    for step in range(1, 41):
        loss = 1 / (40 * epoch + step)
        {body}
        time.sleep(0.002)
    bar.close()
"""
BODIES = {
    "set_postfix, update": "bar.set_postfix(loss=f'{loss:.6f}', lr=1e-3); bar.update()",
    "update, set_postfix": "bar.update(); bar.set_postfix(loss=f'{loss:.6f}')",
    "set_description": "bar.set_description(f'loss {loss:.6f}'); bar.update()",
}
TRANSFORMERS = """
from types import SimpleNamespace
from transformers.trainer_callback import ProgressCallback
state = SimpleNamespace(is_world_process_zero=True, max_steps=60, global_step=0)
callback = ProgressCallback()
callback.on_train_begin(None, state, None)
for step in range(1, 61):
    state.global_step = step
    callback.on_step_end(None, state, None)
    if step % 10 == 0:
        logs = {"loss": 1 / step, "grad_norm": 1.5, "learning_rate": 5e-5, "epoch": step / 20}
        callback.on_log(None, state, None, logs=logs)
    if step % 20 == 0:
        for _ in range(3):
            callback.on_prediction_step(None, state, None, eval_dataloader=[0, 1, 2])
        callback.on_evaluate(None, state, None)
        logs = {"eval_loss": 2 / step, "eval_accuracy": 0.5, "epoch": step / 20}
        callback.on_log(None, state, None, logs=logs)
callback.on_log(None, state, None, logs={"train_runtime": 1.0, "train_loss": 0.5, "epoch": 3.0})
callback.on_train_end(None, state, None)
"""
LIGHTNING = """
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from torch.utils.data import DataLoader, TensorDataset
class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.seen = 0
    def training_step(self, batch, _):
        self.seen += 1
        loss = self.layer(batch[0]).square().mean()
        self.log("train_loss", loss * 0 + 1 / self.seen, prog_bar=True, on_step=True)
        return loss
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)
data = DataLoader(TensorDataset(torch.randn(80, 4)), batch_size=4)
options = {"max_epochs": 2, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
Trainer(**options, callbacks=[TQDMProgressBar(refresh_rate=1)]).fit(Model(), data)
"""


RESIZED = """
import sys
from tqdm import tqdm
bar = tqdm(total=60, dynamic_ncols=True, mininterval=0, file=sys.stderr)
for step in range(1, 61):
    if step in (21, 41):
        input()
    bar.set_postfix(loss=f"{1 / step:.6f}", refresh=False)
    bar.update()
bar.close()
"""


def events(program: str) -> Sequence[object]:
    """The events of a program's output, stderr and stdout in the order in which they came."""
    done = subprocess.run(
        [sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=300, check=True,
    )  # fmt: skip
    reader = Reader()
    return [*reader.feed(done.stdout), *reader.finish()]


def readings(found: Sequence[object]) -> list[Reading]:
    """The losses among them."""
    return [each for each in found if isinstance(each, Reading)]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_tqdm(body: str) -> None:
    pytest.importorskip("tqdm")
    found = readings(events(TQDM.replace("{body}", body)))
    assert [each.place.step for each in found] == list(range(1, 81))
    assert [each.loss for each in found] == pytest.approx([1 / k for k in range(1, 81)], abs=1e-6)
    assert {each.place.epoch for each in found} == {1, 2}


def test_transformers() -> None:
    pytest.importorskip("transformers")
    found = events(TRANSFORMERS)
    losses = readings(found)
    assert {each.form for each in losses} == {Form.TRAINER}
    assert [each.place.step for each in losses] == [10, 20, 30, 40, 50, 60]
    assert [each.place.epoch for each in losses] == [1, 1, 2, 2, 3, 3]
    assert [each.loss for each in losses] == pytest.approx([1 / k for k in range(10, 61, 10)], 1e-3)
    held_out = [each for each in found if isinstance(each, HeldOut)]
    assert [each.place and each.place.step for each in held_out] == [20, 40, 60]


def test_lightning() -> None:
    pytest.importorskip("lightning")
    found = readings(events(LIGHTNING))
    assert [each.place.step for each in found] == list(range(1, 41))
    assert [each.loss for each in found] == pytest.approx([1 / k for k in range(1, 41)], rel=0.01)


def test_tqdm_draws_by_the_width_of_its_terminal_and_is_read_at_each() -> None:
    pytest.importorskip("tqdm")
    program = ChildProgram([sys.executable, "-c", RESIZED], size=(40, 120), unblocked=set())
    output = b""
    for shown, columns in ((b"20/60", 60), (b"40/60", 90)):
        while shown not in output:
            output += program.read(1)
        program.resize((40, columns))
        program.type(b"\r")
    while program.streams:
        output += program.read(1)
    while program.status is None:
        time.sleep(0.01)
    assert program.status == 0
    bars = [text for text in output.decode().split("\r") if "/60 [" in text]
    widths = {steps: {len(bar.rstrip()) for bar in bars if bar.split("/60")[0].endswith(steps)}
              for steps in (" 10", " 30", " 50")}  # fmt: skip
    assert max(widths[" 10"]) in (119, 120)
    assert max(widths[" 30"]) in (59, 60)
    assert max(widths[" 50"]) in (89, 90)
    reader = Reader()
    found = readings([*reader.feed(output), *reader.finish()])
    assert [each.place.step for each in found] == list(range(1, 61))
    assert [each.loss for each in found] == pytest.approx([1 / k for k in range(1, 61)], abs=1e-6)
