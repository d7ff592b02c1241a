"""Devices by name: those that are there, and what is said of those that are not."""

import pytest

from engine.settings import SettingsError
from engine.training.devices.find import find_device


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "cpu:1", "mps:0", "", "cuda:x"])
def test_devices_that_are_not_there(name: str) -> None:
    with pytest.raises(SettingsError, match="is not available on this machine"):
        find_device(name)


def test_auto_finds_a_device() -> None:
    assert find_device("auto").type in ("cpu", "cuda", "mps")
