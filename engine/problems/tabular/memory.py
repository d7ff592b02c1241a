"""Memory available for a data file: on the machine, and within the limits of the process."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.problems.tabular.location import FileLocation

_ROOT: Final = Path("/")
_KIB: Final = 1024


def check_fits(location: FileLocation, needed: int, what: str) -> None:
    """Raise DataFileError if the `needed` bytes exceed the available memory; `what` takes them."""
    available = available_memory()
    if available is not None and needed > available:
        raise location.wrong(
            f"{what} would take {as_text(needed)} of memory, and {as_text(available)} are free; "
            "use fewer rows, or smaller numbers such as float32 or uint8"
        )


def as_text(size: int) -> str:
    """The size in the largest unit that it reaches, e.g. "7.5 GiB"."""
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if value < _KIB:
            break
        value, unit = value / _KIB, larger
    return f"{value:,.0f} {unit}" if value >= 10 or unit == "bytes" else f"{value:.1f} {unit}"


def available_memory(root: Path = _ROOT) -> int | None:
    """Bytes that this process can still allocate; None if the system does not report it.

    The minimum of the machine's free memory including swap, and what is left within the limits of
    its control groups (v1 and v2) and of the process. `root` is the directory with /proc and /sys.
    """
    found = [*_of_the_machine(root), *_of_control_groups(root), *_of_the_process(root)]
    return max(min(found), 0) if found else None


def _of_the_machine(root: Path) -> Iterator[int]:
    with suppress(OSError, ValueError, IndexError):
        lines = (root / "proc/meminfo").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * _KIB for line in lines}
        if "MemAvailable" in sizes:
            yield sizes["MemAvailable"] + sizes.get("SwapFree", 0)
            return
    with suppress(OSError, ValueError):  # the total, as the free memory is not known
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_control_groups(root: Path) -> Iterator[int]:
    """Memory left in each group of the process up to the root group, since every limit applies."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            top, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        group = top / place.lstrip("/")
        for folder in (group, *group.parents):
            yield from _of_group(folder, *names)
            if folder == top:
                break


def _of_group(folder: Path, limit: str, used: str, cached: str) -> Iterator[int]:
    with suppress(OSError, ValueError):  # "max", or the group of a container's host
        left = int((folder / limit).read_text()) - int((folder / used).read_text())
        statistics = dict(
            line.split() for line in (folder / "memory.stat").read_text().splitlines()
        )
        yield left + int(statistics.get(cached, 0))  # the cache of files is freed on demand


def _of_the_process(root: Path) -> Iterator[int]:
    """Memory left within `ulimit -v`."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    with suppress(OSError, ValueError):
        pages = int((root / "proc/self/statm").read_text().split()[0])
        yield limit - pages * resource.getpagesize()
