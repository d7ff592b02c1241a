"""Errors of a device, recognised by type and text: memory that ran out, a context that was lost."""

import errno
import re
from collections.abc import Iterator
from typing import Final, NoReturn

import torch

_NO_MEMORY: Final = re.compile(
    r"""out\ of\ memory                    # CUDA, MPS, HIP, XPU; torch.AcceleratorError
    | DefaultCPUAllocator:                 # "can't allocate memory", "not enough memory"
    | (can't|cannot|failed\ to|unable\ to)\ allocate\ memory
    | not\ enough\ memory
    | \w+_STATUS_ALLOC_FAILED              # cuBLAS, cuDNN, cuSOLVER, cuSPARSE, hipBLAS
    | (cuda|hip)ErrorMemoryAllocation | hipErrorOutOfMemory
    | Invalid\ buffer\ size                # MPS, of one tensor beyond its largest
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LOST: Final = re.compile(
    r"""device-side\ assert
    | illegal\ (memory\ access|instruction|address)
    | misaligned\ address | invalid\ (program\ counter|address\ space)
    | unspecified\ launch\ failure | launch\ timed\ out
    | hardware\ stack\ error | uncorrectable\ ECC | context\ is\ destroyed
    | cudaError(Assert|IllegalAddress|LaunchFailure|LaunchTimeout|MisalignedAddress)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OF_DEVICES: Final = (RuntimeError, OSError)
"""Types that torch raises for a device, AcceleratorError among them; no mistake of a program."""


class OutOfMemoryInStepError(MemoryError):
    """Memory ran out while the optimiser stepped: some weights may have moved, others not."""


def is_out_of_memory(error: BaseException) -> bool:
    """True if memory ran out, on whichever device, and also if another error was made of that."""
    return any(map(_is_out_of_memory, _causes(error)))


def can_retry(error: BaseException) -> bool:
    """True if memory ran out where nothing had changed yet, so that less can be tried."""
    return is_out_of_memory(error) and not any(
        isinstance(each, OutOfMemoryInStepError) for each in _causes(error)
    )


def raise_in_step(error: Exception) -> NoReturn:
    """Raise an error of the optimiser's step; as OutOfMemoryInStepError if memory ran out."""
    if not is_out_of_memory(error):
        raise error
    reason = str(error).partition("\n")[0]
    raise OutOfMemoryInStepError(
        f"memory ran out inside optimizer.step(), where some weights may have moved and others "
        f"not, so training cannot go on from them; restart with a smaller batch ({reason})"
    ) from error


def is_lost_context(error: BaseException) -> bool:
    """True if the process can never use its GPU again: CUDA repeats the error on every call."""
    return any(
        isinstance(each, RuntimeError) and _LOST.search(str(each)) is not None
        for each in _causes(error)
    )


def without_frames(error: Exception) -> Exception:
    """The error without tracebacks, whose frames hold the tensors that fill the memory."""
    for each in _causes(error):
        each.__traceback__ = None
        if each.__context__ is not None:
            each.__context__.__traceback__ = None
    return error


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, _OF_DEVICES) and _NO_MEMORY.search(str(error)) is not None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__
