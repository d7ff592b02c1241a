"""Headers of the arrays in an `.npz` file, which give their sizes before they are loaded."""

import math
import zipfile
import zlib
from typing import Any, Final

import numpy as np

from engine.problems.tabular.location import DataFileError, FileLocation
from engine.problems.tabular.memory import as_text

READING_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, SyntaxError, OverflowError,
    RuntimeError,  # encrypted
    NotImplementedError,  # compressed by a method that Python does not support
)  # fmt: skip
"""The errors that numpy and zipfile raise for a file that they cannot read."""
_AS_THEY_ARE: Final = ("uint8", "float32")


def memory_needed(file: Any, name: str, location: FileLocation) -> int:
    """Bytes that an array of the NpzFile takes once converted for training, by its header.

    Raises DataFileError if it is not an array, or if the file holds less than the header declares.
    """
    shape, kind, held = _read_header(file, name, location)
    count = math.prod(shape)
    declared = count * kind.itemsize
    if declared > held and not kind.hasobject:
        raise location.wrong(
            f"is damaged (its header declares {as_text(declared)}, the file holds {as_text(held)})"
        )
    is_copied = kind.kind in "biuf" and kind.name not in _AS_THEY_ARE
    return declared + (4 * count if is_copied else 0)


def _read_header(
    file: Any, name: str, location: FileLocation
) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Shape and dtype of an array, and the number of its bytes in the file."""
    archive: zipfile.ZipFile = file.zip
    member = f"{name}.npy" if f"{name}.npy" in archive.namelist() else name
    try:
        with archive.open(member) as part:
            if part.read(6) != np.lib.format.MAGIC_PREFIX:
                raise location.wrong("is not an array")
            part.seek(0)
            version = np.lib.format.read_magic(part)
            reading = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, kind = reading(part)
            held = archive.getinfo(member).file_size - part.tell()
    except DataFileError:
        raise
    except READING_ERRORS as error:
        raise location.wrong(f"is damaged ({error})") from None
    if any(size < 0 for size in shape):
        raise location.wrong(f"is damaged (a shape of {shape})")
    return shape, kind, held
