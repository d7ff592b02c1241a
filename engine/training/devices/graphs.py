"""CUDA graphs: work that is recorded once and then launched in one call."""

import contextlib
import gc
from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

Work = Callable[[], dict[str, Tensor]]
"""Work on the device, and its results by name."""


class GraphRecorder:
    """Records work on a GPU, in the thread that trains."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def warm_up(self, work: Work) -> None:
        """Do the work on the stream on which it will be recorded."""
        stream, current = _stream(self._device), torch.cuda.current_stream(self._device)
        stream.wait_stream(current)
        try:
            with torch.cuda.stream(stream):
                work()
        finally:
            current.wait_stream(stream)

    def record(self, work: Work) -> Work:
        """Record the work without doing it; the result does it, on the stream that is current.

        It returns the same tensors each time, with new content.

        torch.cuda.graph would first free all memory that torch caches, and go on with its own
        stream if the capture fails.
        """
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize(self._device)
        with _no_collection(), torch.cuda.stream(_stream(self._device)):
            # Other threads of the worker may use the device, for a checkpoint for example.
            graph.capture_begin(capture_error_mode="thread_local")
            try:
                results = work()
            except BaseException:
                with contextlib.suppress(RuntimeError):  # the first error tells more
                    graph.capture_end()
                raise
            graph.capture_end()

        def replay() -> dict[str, Tensor]:
            graph.replay()
            return results

        return replay


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """The stream for recording; one for all, since cuBLAS keeps memory for each that it sees."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from freeing what holds CUDA memory while a capture must not be disturbed."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
