"""Devices by name: those that are there, and the reasons for those that are not."""

import os
from pathlib import Path

import pytest
import torch
from fake_gpus import NO_DRIVER, TOO_OLD, FakeGpus, gpus

from engine.settings import SettingsError
from engine.training.devices import absence
from engine.training.devices.find import count_sharing, device_label, fallback_note, find_device

__all__ = ["gpus"]
UUID = "GPU-5ebc1d3a-0d2d-4a9b-8c58-3f0a1a2b3c4d"
MIG = "MIG-9a1c2d3e-0d2d-4a9b-8c58-3f0a1a2b3c4d"


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "cpu:1", "mps:0", "", "cuda:x", "auto:0"])
def test_devices_that_are_not_there(name: str) -> None:
    with pytest.raises(SettingsError, match="is not available on this machine"):
        find_device(name)


def test_auto_finds_a_device() -> None:
    assert find_device("auto").type in ("cpu", "cuda", "mps")


def test_devices_have_their_index(gpus: FakeGpus) -> None:
    gpus.count = 2
    found = [str(find_device(name)) for name in ("auto", "cuda", "cuda:0", "cuda:1", "cpu")]
    assert found == ["cuda:0", "cuda:0", "cuda:0", "cuda:1", "cpu"]
    with pytest.raises(SettingsError, match=r"choose from auto, cpu, cuda:0, cuda:1$"):
        find_device("cuda:2")


def test_names_of_one_device_count_as_one(gpus: FakeGpus) -> None:
    gpus.count = 2
    names = ("cuda", "cuda:0", "auto", "cuda:1", "cpu", UUID, UUID.lower(), "cuda:7")
    assert [count_sharing(names, name) for name in names] == [3, 3, 3, 1, 1, 2, 2, 1]


# --- UUIDs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [UUID, MIG, "MIG-GPU-5ebc1d3a/1/0"])
def test_a_process_sees_the_gpu_of_its_uuid_alone(
    gpus: FakeGpus, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"GPU-other,{name}")
    gpus.count = 1
    assert find_device(name) == torch.device("cuda", 0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == name
    assert find_device(name) == torch.device("cuda", 0), "again, at a restart"


def test_a_uuid_may_be_shortened_as_in_the_environment(gpus: FakeGpus) -> None:
    gpus.visible(f"{UUID},{MIG}")
    gpus.count = 1
    find_device("mig-9a1c")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == MIG


def test_a_uuid_where_the_environment_has_numbers(gpus: FakeGpus) -> None:
    gpus.visible("3,5")
    gpus.count = 2
    assert find_device("GPU-1ebc1d3a-0d2d") == torch.device("cuda", 1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,5"


def test_uuids_that_are_not_there(gpus: FakeGpus) -> None:
    gpus.visible(UUID)
    with pytest.raises(SettingsError, match=f"{MIG}' is not in CUDA_VISIBLE_DEVICES"):
        find_device(MIG)
    with pytest.raises(SettingsError, match="names no GPU that there is"):
        find_device(UUID)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == UUID, "as it was"


def test_a_uuid_is_written_as_cuda_does_and_shown_in_short(gpus: FakeGpus) -> None:
    gpus.count = 1
    device = find_device("mig-gpu-5EBC1D3A/1/0")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-GPU-5ebc1d3a/1/0"
    assert device_label(MIG, device) == "MIG-9a1c2d3e"
    assert device_label("cuda", device) == "cuda:0"


# --- Reasons ------------------------------------------------------------------------------------


def reason(name: str = "cuda") -> str:
    with pytest.raises(SettingsError) as raised:
        find_device(name)
    return str(raised.value)


def test_a_cpu_build(gpus: FakeGpus) -> None:
    gpus.built(False)
    assert f"torch {torch.__version__} is a build for the CPU; install a CUDA build" in reason()


@pytest.mark.parametrize("complaint", [TOO_OLD, "your NVIDIA driver is too old"])
def test_a_driver_that_is_too_old(gpus: FakeGpus, complaint: str) -> None:
    gpus.complaint = complaint
    has = "supports CUDA 11.4" if complaint == TOO_OLD else "is older"
    assert f"the NVIDIA driver is too old: it {has}, this torch needs 12.8; update" in reason()


@pytest.mark.parametrize("names", ["", "-1", " ", "NoDevFiles", "-1,0"])
def test_an_environment_that_hides_all(gpus: FakeGpus, names: str) -> None:
    gpus.visible(names)
    assert f"CUDA_VISIBLE_DEVICES={names!r} hides every GPU; unset it" in reason()


def test_an_environment_that_names_what_is_not_there(gpus: FakeGpus) -> None:
    gpus.visible("7")
    assert "CUDA_VISIBLE_DEVICES='7' names no GPU that there is" in reason()


def test_no_driver(gpus: FakeGpus) -> None:
    gpus.complaint = NO_DRIVER
    assert "no NVIDIA driver is installed" in reason()


def test_what_else_torch_says(gpus: FakeGpus) -> None:
    gpus.complaint = "CUDA unknown error -\n this may be due to an incorrectly set up environment"
    assert "CUDA unknown error - this may be due to" in reason()


def test_no_mps(gpus: FakeGpus) -> None:
    assert "is built without MPS" in reason("mps")


# --- The CPU beside a GPU -----------------------------------------------------------------------


def test_auto_beside_a_gpu_says_why(
    gpus: FakeGpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence.sys, "platform", "linux")
    monkeypatch.setattr(absence, "TRACES", (str(tmp_path / "nvidia"),))
    assert fallback_note("auto") == "", "no GPU, nothing to explain"
    (tmp_path / "nvidia").mkdir()
    assert fallback_note("auto") == "", "an empty folder of a driver without a GPU"
    (tmp_path / "nvidia" / "0000:01:00.0").mkdir()
    gpus.complaint = TOO_OLD
    note = "training on the CPU, although there is a GPU: the NVIDIA driver is too old"
    assert fallback_note("auto").startswith(note)
    assert fallback_note("cpu") == "", "it was chosen"
    gpus.count = 1
    assert fallback_note("auto") == ""


@pytest.mark.parametrize(("machine", "has_note"), [("arm64", True), ("x86_64", False)])
def test_auto_on_a_mac(
    gpus: FakeGpus, monkeypatch: pytest.MonkeyPatch, machine: str, has_note: bool
) -> None:
    monkeypatch.setattr(absence.sys, "platform", "darwin")
    monkeypatch.setattr(absence.platform, "machine", lambda: machine)
    assert ("is built without MPS" in fallback_note("auto")) is has_note
