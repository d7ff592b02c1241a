"""Reasons why torch cannot use a GPU: its build, the driver, or what the environment hides."""

import os
import platform
import re
import sys
import warnings
from pathlib import Path
from typing import Final

import torch

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
TRACES: Final = ("/proc/driver/nvidia/gpus", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""Files that drivers of NVIDIA, of WSL and of AMD make."""


def why_no_cuda() -> str:
    """Why there is no CUDA device, in a clause with its remedy."""
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        return (
            f"this torch {torch.__version__} is a build for the CPU; install a CUDA build, "
            "as https://pytorch.org/get-started describes"
        )
    if (visible := os.environ.get(VISIBLE)) is not None and not _has_names(visible):
        return f"{VISIBLE}={visible!r} hides every GPU; unset it"
    complaint = _complaint()
    if "too old" in complaint:
        found = re.search(r"found version (\d+)", complaint)
        has = f"supports CUDA {_version(int(found[1]))}" if found else "is older"
        return (
            f"the NVIDIA driver is too old: it {has}, this torch needs {torch.version.cuda}; "
            "update the driver, or install a torch built for an older CUDA"
        )
    if visible is not None:
        return f"{VISIBLE}={visible!r} names no GPU that there is; `nvidia-smi -L` lists them"
    if "no NVIDIA driver" in complaint:
        return "no NVIDIA driver is installed"
    return complaint or "torch finds no GPU"


def why_no_mps() -> str:
    """Why Apple's GPU cannot be used, likewise."""
    if not torch.backends.mps.is_built():
        return f"this torch {torch.__version__} is built without MPS; install an arm64 build"
    return "MPS needs a newer macOS"


def why_on_cpu() -> str:
    """Why "auto" falls back to the CPU beside a GPU; "" on a machine that shows no GPU."""
    if sys.platform == "darwin":
        return why_no_mps() if platform.machine() == "arm64" else ""
    return why_no_cuda() if any(_is_trace(Path(each)) for each in TRACES) else ""


def _is_trace(path: Path) -> bool:
    try:
        return any(path.iterdir()) if path.is_dir() else path.exists()
    except OSError:  # a folder that may not be read
        return False


def _has_names(visible: str) -> bool:
    """False for "", "-1" and "NoDevFiles": CUDA ends at the first name that is none."""
    first = visible.split(",")[0].strip()
    return bool(first) and not first.startswith("-") and first != "NoDevFiles"


def _complaint() -> str:
    """The error or warnings of torch when it is made to use CUDA, on one line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            torch.cuda.init()  # type: ignore[no-untyped-call]
        except Exception as error:
            return " ".join(str(error).split())
    return " ".join(str(each.message) for each in caught)


def _version(number: int) -> str:
    """CUDA's version out of a driver's number: 11040 is 11.4."""
    return f"{number // 1000}.{number % 1000 // 10}"
