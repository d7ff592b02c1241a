"""A device as a process takes it: set, shared, with float32 that is float32."""

from collections.abc import Iterator

import pytest
import torch
from fake_gpus import FakeGpus, gpus

from engine.training.devices.memory import memory_share
from engine.training.devices.process import answers, take_device

__all__ = ["gpus"]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Put torch's switches back."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    yield
    cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before


def test_the_device_is_set(gpus: FakeGpus) -> None:
    gpus.count = 2
    taken = take_device("cuda:1", ["cuda:0", "cuda:1"])
    assert taken.device == gpus.set["device"] == torch.device("cuda", 1)
    assert taken.sharing == 1
    assert "share" not in gpus.set, "alone, it may take all memory"


def test_several_processes_share_a_gpu(gpus: FakeGpus) -> None:
    gpus.count = 1
    taken = take_device("cuda", ["cuda", "auto", "cuda:0", "cpu"])
    assert taken.sharing == 3
    assert gpus.set["share"] == memory_share(gpus.total, 3)


@pytest.mark.parametrize("gib", [4, 16, 80])
@pytest.mark.parametrize("sharing", [2, 3, 8])
def test_all_shares_fit_with_the_processes_contexts(gib: int, sharing: int) -> None:
    share = memory_share(gib << 30, sharing)
    assert 0.5 / sharing <= share < 1 / sharing
    if gib >= 16:
        assert sharing * (share * (gib << 30) + (600 << 20)) <= gib << 30


def test_float32_is_float32(gpus: FakeGpus) -> None:
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    take_device("cpu")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    with torch.backends.cudnn.flags(enabled=False):
        pass
    torch.backends.cudnn.allow_tf32 = True  # as a file may do
    assert torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high")
    assert torch.backends.cuda.matmul.allow_tf32
    torch.set_float32_matmul_precision("highest")


def test_a_device_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answers(torch.device("cpu"))
    errors = {"lost": "CUDA error: an illegal memory access", "full": "CUDA error: out of memory"}
    for name, text in errors.items():

        def fail(device: object, text: str = text) -> None:
            raise RuntimeError(text)

        monkeypatch.setattr(torch.cuda, "synchronize", fail)
        assert answers(torch.device("cuda", 0)) is (name == "full")
