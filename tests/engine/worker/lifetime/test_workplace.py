"""A worker's device and problem: taken once, the device before the problem's file runs."""

from pathlib import Path

import pytest
import torch
from fake_gpus import TOO_OLD, FakeGpus, gpus

from engine.log.directory import RunDirectory
from engine.session.remote_worker import RemoteWorker
from engine.session.session import Session
from engine.settings import RunSettings, SettingsError, Variant, VariantSettings
from engine.training.devices import absence
from engine.worker.lifetime.workplace import Workplace
from engine.worker.protocol import WorkerTask

__all__ = ["gpus"]

FILE = """
import torch
from torch import nn
from engine import Problem

torch.backends.cudnn.benchmark = True

def problem():
    x = torch.ones(8, 2)
    return Problem(train=(x, x[:, :1]), model=lambda: nn.Linear(2, 1), loss=nn.MSELoss())
"""


def settings(device: str, problem: str = "synthetic", count: int = 1) -> RunSettings:
    variants = tuple(Variant(name=f"v{k}", settings=VariantSettings()) for k in range(count))
    return RunSettings(variants=variants, problem=problem, device=device)


def task(run: RunSettings, devices: tuple[str, ...] = ()) -> WorkerTask:
    return WorkerTask(
        run=run, variant=run.variants[0], device=run.device, devices=devices, log="", output="",
        threads=1, epochs=1, pace=None,
    )  # fmt: skip


def test_every_worker_knows_the_devices_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[WorkerTask] = []
    monkeypatch.setattr(RemoteWorker, "begin", lambda _, make: tasks.append(make(1)))
    run = RunDirectory.create(tmp_path / "run", settings("cuda,cuda:0", count=3), "0")
    with Session(run) as session:
        session.start()
    assert [each.device for each in tasks] == ["cuda", "cuda:0", "cuda"]
    assert {each.devices for each in tasks} == {("cuda", "cuda:0", "cuda")}


def test_a_file_may_set_up_torch_in_its_own_way_and_a_restart_keeps_it(tmp_path: Path) -> None:
    before = torch.backends.cudnn.benchmark
    (tmp_path / "net.py").write_text(FILE)
    workplace = Workplace(task(settings("cpu", f"{tmp_path}/net.py"), ("cpu", "cpu", "cuda")))
    try:
        for generation in (1, 2):
            trainer, taken = workplace.make_trainer(VariantSettings(), generation, 1)
            assert torch.backends.cudnn.benchmark
            assert (taken.sharing, taken.label, taken.note) == (2, "cpu", "")
            assert trainer.generation == generation
    finally:
        torch.backends.cudnn.benchmark = before


def test_a_fallback_to_the_cpu_comes_with_its_reason(
    gpus: FakeGpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpus.complaint = TOO_OLD
    monkeypatch.setattr(absence, "TRACES", (str(tmp_path),))
    (tmp_path / "gpu").touch()
    _, taken = Workplace(task(settings("auto"))).make_trainer(VariantSettings(), 1, 1)
    assert "the NVIDIA driver is too old" in taken.note
    with pytest.raises(SettingsError, match="the NVIDIA driver is too old"):
        Workplace(task(settings("cuda"))).make_trainer(VariantSettings(), 1, 1)


def test_errors_after_which_the_device_is_lost() -> None:
    workplace = Workplace(task(settings("cpu")))
    assert workplace.is_lost(RuntimeError("CUDA error: device-side assert triggered"))
    assert not workplace.is_lost(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
