"""Files that ask for more memory than there is are refused by what their headers say."""

import io
import resource
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.problems.builtin import char_lm
from engine.problems.tabular.arrays import read_arrays
from engine.problems.tabular.memory import as_text, available_memory
from engine.problems.tabular.table import read_table
from engine.settings import DataSettings, SettingsError

MIB = 1 << 20


@pytest.fixture
def four_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with little memory."""
    monkeypatch.setattr("engine.problems.tabular.memory.available_memory", lambda: 4 * MIB)


def npz(path: Path, headers: dict[str, dict[str, Any]], content: bytes = b"") -> Path:
    """A file of arrays whose headers say anything, each with the same content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, header in headers.items():
            start = io.BytesIO()
            np.lib.format.write_array_header_2_0(
                start, {"descr": "<f8", "fortran_order": False, **header}
            )
            archive.writestr(f"{name}.npy", start.getvalue() + content)
    return path


@pytest.mark.usefixtures("four_mib")
def test_zeros_that_are_small_in_the_file_are_refused_before_they_are_unpacked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, X=np.zeros((64, MIB)), y=np.zeros(64))
    assert path.stat().st_size < MIB
    tracemalloc.start()
    with pytest.raises(
        SettingsError, match=r"bomb\.npz: the arrays X, y would take 768 MiB of mem"
    ):
        read_arrays(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB


@pytest.mark.usefixtures("four_mib")
def test_all_four_arrays_count_together(tmp_path: Path) -> None:
    each = np.zeros((1, 2 * MIB), np.uint8)
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez_compressed(tmp_path / "a.npz", **dict.fromkeys(names, each))
    with pytest.raises(
        SettingsError, match=r"x_train, y_train, x_test, y_test would take 8\.0 MiB"
    ):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "shape",
    [(1000, 1000), (10**9, 10**9), (10**30,), (2**63, 2**63), (-1, 8), (0, -5)],
)
def test_a_header_that_promises_what_is_not_there_is_damaged(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = npz(tmp_path / "a.npz", {"X": {"shape": shape}, "y": {"shape": (8,)}}, bytes(64))
    with pytest.raises(SettingsError, match=r"a\.npz, array X: is damaged \("):
        read_arrays(path)


@pytest.mark.parametrize("descr", ["<U99999999", "<f8", "|V2000000000"])
def test_types_of_gigabytes_are_damaged(descr: str, tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", {"X": {"shape": (9,), "descr": descr}, "y": {"shape": (8,)}})
    with pytest.raises(SettingsError, match="declares"):
        read_arrays(path)


@pytest.mark.usefixtures("four_mib")
def test_a_member_that_is_no_array_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X", bytes(64 * MIB))
        archive.writestr("y", b"")
    tracemalloc.start()
    with pytest.raises(SettingsError, match=r"a\.npz, array X: is not an array$"):
        read_arrays(tmp_path / "a.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB


def test_a_single_array_is_not_read_to_say_so(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        np.lib.format.write_array_header_2_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 31,)}
        )
        file.truncate(1 << 34)
    with pytest.raises(SettingsError, match="a single array; save inputs and target"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.usefixtures("four_mib")
def test_tables_and_texts_likewise(tmp_path: Path) -> None:
    pd.DataFrame({"a": np.zeros(MIB), "y": np.zeros(MIB)}).to_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < MIB
    with pytest.raises(
        SettingsError, match=r"1,048,576 rows of 2 columns would take 16 MiB of mem"
    ):
        read_table(DataSettings(path=str(tmp_path / "a.parquet"), target="y"))
    (tmp_path / "a.csv").write_bytes(b"a,y\n" + b"1,2\n" * (2 * MIB))
    with pytest.raises(SettingsError, match=r"a table of 8\.0 MiB of text would take"):
        read_table(DataSettings(path=str(tmp_path / "a.csv"), target="y"))
    (tmp_path / "a.txt").write_bytes(b"abcdefgh" * (MIB // 16))
    with pytest.raises(SettingsError, match=r"a text of 512 KiB would take 8\.0 MiB"):
        char_lm.make(0, DataSettings(path=str(tmp_path / "a.txt")))


def test_what_fits_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.ones((4, 3), "f4"), y=np.arange(4))
    assert read_arrays(tmp_path / "a.npz").train[0].shape == (4, 3)


# --- The memory there is ------------------------------------------------------------------------


def machine(root: Path, files: dict[str, str]) -> Path:
    """A system's files."""
    meminfo = "MemTotal: 8192 kB\nMemFree: 1 kB\nMemAvailable: 4096 kB\nSwapFree: 1024 kB\n"
    for name, text in {"proc/meminfo": meminfo, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def group(place: str, limit: int | str, used: int, cached: int) -> dict[str, str]:
    """The files of a control group (v2)."""
    return {
        f"sys/fs/cgroup/{place}/memory.max": f"{limit}\n",
        f"sys/fs/cgroup/{place}/memory.current": f"{used}\n",
        f"sys/fs/cgroup/{place}/memory.stat": f"anon 7\ninactive_file {cached}\n",
    }


V1 = {
    "proc/self/cgroup": "5:cpu:/\n4:memory:/box\n",
    "sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{3 * MIB}",
    "sys/fs/cgroup/memory/box/memory.usage_in_bytes": f"{MIB}",
    "sys/fs/cgroup/memory/box/memory.stat": f"cache 3\ntotal_inactive_file {MIB // 2}\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "0",
}
INSIDE = {"proc/self/cgroup": "0::/a/b\n"}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 5 * MIB),
        ({**INSIDE, **group("a/b", "max", 0, 0)}, 5 * MIB),
        ({**INSIDE, **group("a/b", 3 * MIB, MIB, 0)}, 2 * MIB),
        ({**INSIDE, **group("a/b", 3 * MIB, 2 * MIB, MIB)}, 2 * MIB),
        ({**INSIDE, **group("a/b", "max", 0, 0), **group("a", 2 * MIB, MIB, 0)}, MIB),
        ({**INSIDE, **group("a/b", 2 * MIB, 9 * MIB, 0)}, 0),
        ({"proc/self/cgroup": "0::/gone\n", **group(".", 2 * MIB, 0, 0)}, 2 * MIB),
        ({"proc/self/cgroup": "0::/../..\n", **group(".", 2 * MIB, 0, 0)}, 2 * MIB),
        (V1, 5 * MIB // 2),
    ],
)
def test_every_limit_counts(files: dict[str, str], free: int, tmp_path: Path) -> None:
    assert available_memory(machine(tmp_path, files)) == free


def test_ulimit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = 4 * MIB // resource.getpagesize()
    root = machine(tmp_path, {"proc/self/statm": f"{pages} 1 1\n"})
    monkeypatch.setattr(resource, "getrlimit", lambda _: (6 * MIB, resource.RLIM_INFINITY))
    assert available_memory(root) == 2 * MIB


def test_a_system_that_does_not_tell_has_what_is_built_in(tmp_path: Path) -> None:
    assert (available_memory(tmp_path) or 0) > 64 * MIB


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1024, "1.0 KiB"), (15 * MIB, "15 MiB"), (15 << 29, "7.5 GiB")],
)
def test_sizes_in_words(size: int, text: str) -> None:
    assert as_text(size) == text
