"""Open HDF5 files so that every refusal is one sentence, and find what is inside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import (
    BrickfieldError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.geometry import NUMERIC_KINDS
from brickfield.sources.hdf5.handles import HDF5_LOCK, SharedFile, share
from brickfield.sources.io.plain_files import check_regular, local_path, open_regular

SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".emd", ".mat", ".h5py")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DAMAGE = (RuntimeError, KeyError, ValueError, TypeError, OverflowError, OSError)
_PATH_INSIDE = re.compile(r"^(?P<file>.+?)(?:::|:(?=/))(?P<path>/?.*)$")


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What is known of a dataset before it is opened."""

    path: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)


def split_uri(uri: str) -> tuple[Path, str | None]:
    """Split ``file.h5:/path`` or ``file.h5::path`` into file and path inside."""
    text = str(uri)
    prefix = "file://" if text.startswith("file://") else ""
    whole = local_path(text)
    match = _PATH_INSIDE.match(text[len(prefix) :])
    if whole.exists() or match is None:
        return whole, None
    inside = match["path"]
    return local_path(prefix + match["file"]), inside or None


def has_signature(path: Path) -> bool:
    """Whether a file is HDF5 (it may begin with a block of another owner)."""
    try:
        with open_regular(path) as file:
            for offset in (0, 512, 1024, 2048):
                file.seek(offset)
                if file.read(len(_SIGNATURE)) == _SIGNATURE:
                    return True
    except (OSError, StoreFormatError):
        return False
    return False


def open_file(path: Path) -> SharedFile:
    """Take a share of an HDF5 file, to read it.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError
        If it is absent, refuses to be read or is locked, is not (whole) HDF5.
    """
    if not path.is_file():
        if path.exists() and not path.is_dir():
            check_regular(path, path.stat())
        what = "a folder" if path.is_dir() else "nothing"
        msg = f"expected an HDF5 file at {path}; found {what}: check the path"
        raise StoreNotFoundError(msg)
    try:
        return share(path)
    except PermissionError as error:
        msg = f"expected to read {path}; the system refuses: check its permissions"
        raise StoreAccessError(msg) from error
    except BrickfieldError:
        raise
    except OSError as error:
        raise _explained(path, str(error)) from error


def _explained(path: Path, reason: str) -> Exception:
    if "unable to lock" in reason:
        msg = f"expected to read {path}; another program is writing it: close it there"
        return StoreAccessError(msg)
    if "truncated" in reason:
        msg = f"expected a whole HDF5 file; {path} is truncated: copy it again"
        return StoreFormatError(msg)
    if not has_signature(path):
        msg = f"expected an HDF5 file; {path} has no HDF5 signature: check the format"
        return StoreFormatError(msg)
    return StoreFormatError(f"expected a readable HDF5 file; {path} is not: {reason}")


@contextmanager
def closing_on_error(shared: SharedFile) -> Iterator[Any]:
    """Close a file if what follows fails; turn errors of the library into ours.

    Yields
    ------
    h5py.File
        Under the lock.

    Raises
    ------
    StoreFormatError
        If the file is damaged.
    """
    try:
        with HDF5_LOCK:
            yield shared.file
    except BaseException as error:
        name = str(shared.path)
        shared.close()
        if isinstance(error, _DAMAGE) and not isinstance(error, BrickfieldError):
            msg = f"expected a readable HDF5 file; {name} is damaged: {error}"
            raise StoreFormatError(msg) from error
        raise


def list_datasets(group: Any) -> list[DatasetSummary]:
    """Drawable datasets (numbers, two or more axes) below a group, by path."""
    import h5py

    found: list[DatasetSummary] = []

    def visit(_name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.shape is None:
            return
        shape = tuple(int(n) for n in item.shape)
        try:
            dtype = np.dtype(item.dtype)
        except TypeError:
            return
        if len(shape) >= 2 and 0 not in shape and dtype.kind in NUMERIC_KINDS:
            found.append(DatasetSummary(str(item.name), shape, dtype.str))

    with HDF5_LOCK:
        group.visititems(visit)
    return found


def text_attribute(attributes: Mapping[str, Any], name: str) -> str | None:
    """Read an attribute as text, whatever string type it was written in.

    Plain strings, bytes and arrays of one-byte strings (Imaris) occur. None when
    the attribute is absent or cannot be read.

    Parameters
    ----------
    attributes : mapping
        Of an h5py group or dataset.
    name : str
    """
    try:
        value = attributes[name]
    except (KeyError, OSError, RuntimeError, TypeError):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        raw = value
    elif isinstance(value, np.ndarray) and value.dtype.kind == "S":
        raw = value.tobytes()
    else:
        return str(value)
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()


def vector_attribute(attributes: Mapping[str, Any], name: str) -> list[float] | None:
    """Read an attribute as numbers; None if it is absent or not numeric.

    Parameters
    ----------
    attributes : mapping
        Of an h5py group or dataset.
    name : str
    """
    try:
        values = np.asarray(attributes[name], dtype=np.float64).ravel()
    except (KeyError, OSError, RuntimeError, TypeError, ValueError):
        return None
    return [float(v) for v in values]
