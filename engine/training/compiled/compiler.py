"""torch's ahead-of-time compiler (AOTInductor), told to be quick rather than thorough."""

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from torch import Tensor

from engine.training.compiled.layout import Layout
from engine.training.compiled.spec import BlockSpec, TensorShape, UnsuitedError, first_line
from engine.training.compiled.tracing.trace import TracedBlock

OPTIONS: Final[dict[str, Any]] = {
    "fallback_random": True,  # dropout draws what it draws eagerly
    "compile_threads": 1,  # training has the other cores
    "aot_inductor.compile_wrapper_opt_level": "O0",  # it only calls
    "aot_inductor.enable_frame_pointer": False,
    "aot_inductor.enable_line_tables": False,
    "aot_inductor.precompile_headers": False,  # 280 MB on the disk, to save some seconds
    "fx_graph_cache": False,  # programs have a cache of their own
}
_EXTENSIONS: Final = ("-mavx2", "-mavx512vnni", "-mamx-tile", "-mamx-bf16", "-mamx-int8")
"""Options for the instructions of x86 that torch uses where the processor has them."""
_FORMAT: Final = 1
"""Changes with everything in programs that their graphs do not show."""


class ProgramFacts(msgspec.Struct, frozen=True):
    """The facts about a program that its calls need, kept beside it."""

    spec: BlockSpec
    layout: Layout
    inputs: tuple[TensorShape, ...]
    outputs: tuple[str, ...]
    digest: str = ""
    """SHA-256 of the program's file."""


def facts_of(spec: BlockSpec, traced: TracedBlock) -> ProgramFacts:
    """The facts about the program of this block."""
    shapes = tuple(map(TensorShape.of, traced.inputs))
    return ProgramFacts(spec, traced.layout, shapes, traced.outputs)


def require_compiler() -> None:
    """Raise UnsuitedError if there is no C++ compiler, or torch cannot compile ahead of time."""
    if not hasattr(torch._C, "_aoti"):
        raise UnsuitedError(f"torch {torch.__version__} has no ahead-of-time compiler")
    if not _compilers():
        raise UnsuitedError("there is no C++ compiler: install g++ or clang++, or set CXX")


def key_of(one: TracedBlock, spec: BlockSpec) -> str:
    """The identity of a program: the graph of one update, and everything else that shapes it."""
    digest = hashlib.sha256()
    digest.update(one.graph.code.encode())
    for name, value in sorted(_constants(one).items()):
        digest.update(name.encode() + msgspec.json.encode(TensorShape.of(value)))
        content = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(content.numpy().tobytes())
    options = sorted((name, repr(value)) for name, value in OPTIONS.items())
    machine = str(torch.__version__), torch.__config__.show(), platform.system(), _processor()
    digest.update(msgspec.json.encode([_FORMAT, facts_of(spec, one), options, machine]))
    return digest.hexdigest()[:32]


def key_of_capture(operations: Sequence[str], spec: BlockSpec) -> str:
    """The identity of a captured block: the operations of an update, its form, torch, the GPU."""
    machine = str(torch.__version__), torch.cuda.get_device_name() if spec.device == "cuda" else ""
    content = msgspec.json.encode([_FORMAT, operations, spec, machine])
    return hashlib.sha256(content).hexdigest()[:32]


def compile_program(traced: TracedBlock, folder: Path) -> Path:
    """Compile a traced block in an empty folder; return the path of the shared library.

    Raises UnsuitedError if the compiler fails. May only be called by one thread at a time.
    """
    options = OPTIONS | _options_for(_compilers()[0])
    with _caches_in(folder):
        import torch._inductor as inductor

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = inductor.aot_compile(traced.graph, tuple(traced.inputs), options=options)
        except Exception as error:
            raise UnsuitedError(f"the compiler failed: {_telling_line(error)}") from error
    if not isinstance(made, str):
        raise UnsuitedError(f"torch {torch.__version__} compiles in another way")
    if Path(made).with_suffix(".json").exists():  # operations that it would ask torch for
        raise UnsuitedError("the compiler has no code for one of the operations")
    # Away from all other files, which the program must not need.
    return Path(made).rename(folder / "program.so")


def load_program(path: Path, device: torch.device) -> Any:
    """The loaded program; `run(inputs)` returns its outputs. Raises UnsuitedError if it fails."""
    try:
        return torch._C._aoti.AOTIModelContainerRunnerCpu(str(path), 1)
    except Exception as error:
        raise UnsuitedError(f"the program cannot be loaded: {first_line(error)}") from error


def _telling_line(error: Exception) -> str:
    """The line in which a C++ compiler names its error, if there is one; else the first line."""
    for line in str(error).splitlines():
        _, found, text = line.partition("error: ")
        if found:
            return text[:200]
    return first_line(error)


def _options_for(compiler: str) -> dict[str, Any]:
    """Options for a C++ compiler; trying it on each kind of instruction would take 13 s."""
    options: dict[str, Any] = {"cpp.cxx": (compiler,)}
    if platform.machine() in ("x86_64", "AMD64"):
        nothing = ("-fsyntax-only", "-x", "c++", os.devnull)
        tried = subprocess.run([compiler, *_EXTENSIONS, *nothing], capture_output=True, check=False)
        if tried.returncode == 0:
            options["cpp.vec_isa_ok"] = True
    return options


def _compilers() -> list[str]:
    """The C++ compilers that can be run, the preferred one first."""
    names = [os.environ.get("CXX", ""), "g++", "clang++"]
    return [name for name in names if name and shutil.which(name)]


def _constants(traced: TracedBlock) -> dict[str, Tensor]:
    """Tensors that are part of the graph, such as class weights that a loss holds."""
    graph = traced.graph
    names = {str(node.target) for node in graph.graph.nodes if node.op == "get_attr"}
    return {
        name: getattr(graph, name) for name in names if isinstance(getattr(graph, name), Tensor)
    }


def _processor() -> str:
    """The processor's instructions; programs use all of them."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return platform.processor()


@contextlib.contextmanager
def _caches_in(folder: Path) -> Iterator[None]:
    """Let the compiler keep its own files in this folder, not in /tmp, where others could write."""
    names = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TMPDIR")
    before, default = {name: os.environ.get(name) for name in names}, tempfile.tempdir
    os.environ.update(dict.fromkeys(names, str(folder)))
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = default
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
