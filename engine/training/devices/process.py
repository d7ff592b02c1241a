"""A device as a process uses it: taken, shared with others, seeded, waited for."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.training.devices.errors import is_out_of_memory
from engine.training.devices.find import count_sharing, device_label, fallback_note, find_device
from engine.training.devices.memory import limit_memory


@dataclass(frozen=True, slots=True)
class TakenDevice:
    """The device that a process computes on."""

    device: torch.device
    sharing: int = 1
    """Processes of the run that compute on it."""
    label: str = ""
    """Its name in the log."""
    note: str = ""
    """A note for the user; "" if there is nothing to say."""


def take_device(name: str, names: Sequence[str] = ()) -> TakenDevice:
    """Let this process compute on the device of this name.

    `names` are those of all processes of the run: where several mean the same GPU, this one may
    take its share of the memory. Raises SettingsError if there is no such device.
    """
    device = find_device(name)  # first, since it can narrow down which GPUs there are
    compute_as_told()
    sharing = max(1, count_sharing(names, name))
    if device.type == "cuda":
        torch.cuda.set_device(device)  # what allocates without naming a device goes there, too
        limit_memory(device, sharing)
    return TakenDevice(device, sharing, device_label(name, device), fallback_note(name))


def compute_as_told() -> None:
    """Compute float32 in float32, and convolutions by algorithms that add in a fixed order.

    TF32 has 10 bits: 512 samples at once and 8 times 64 would draw two curves. torch has it off
    for matrix products, and on for cuDNN. A problem's file can set it otherwise, as it runs later.
    """
    # Not by the newer `conv.fp32_precision`: torch 2.13 then raises where cudnn.flags() is used.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def answers(device: torch.device) -> bool:
    """False if the device fails at whatever it is asked, as CUDA does once a context is lost."""
    try:
        synchronize(device)
    except RuntimeError as error:
        return is_out_of_memory(error)
    return True


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished all queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seed_generator(device: torch.device, seed: int) -> None:
    """Seed torch's generators on the device and on the host."""
    if device.type == "cpu":
        # torch.manual_seed also seeds three kinds of absent device, and records a stack trace for
        # each: 0.3 ms, as much as a full-batch epoch of a small problem.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)
