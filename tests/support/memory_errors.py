"""Errors as torch and numpy raise them where memory runs out, and others that look like them."""

from typing import Final

import torch

NO_MEMORY: Final[list[Exception]] = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total"),
    torch.OutOfMemoryError("HIP out of memory. Tried to allocate 20.00 MiB"),
    MemoryError(),
    MemoryError("Unable to allocate 8.00 PiB for an array with shape (1125899906842624,)"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: not enough memory: you "
        "tried to allocate 68719476736 bytes."
    ),
    RuntimeError(
        "MPS backend out of memory (MPS allocated: 17.90 GB, other allocations: 192.00 KB, max "
        "allowed: 18.13 GB). Tried to allocate 512.00 MB on private pool."
    ),
    RuntimeError("Invalid buffer size: 24.00 GiB"),
    RuntimeError("XPU out of memory. Tried to allocate 2.00 GiB"),
    torch.AcceleratorError("CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA`"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate`"),
    RuntimeError(
        "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
        "last):\n…\nRuntimeError: DefaultCPUAllocator: can't allocate memory"
    ),
    OSError(12, "Cannot allocate memory"),
]

OTHERS: Final[list[Exception]] = [
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (4x32 and 33x2)"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_BAD_PARAM"),
    ValueError("this table is out of memory range"),
    KeyError("not enough memory"),
    ZeroDivisionError("division by zero"),
]
