"""Arrays of any library, behind the interface of a stored array.

Each kind of array is read in the unit it is stored in: dask by block, zarr and
tensorstore by storage chunk, HDF5 by its raw chunks, numpy in virtual chunks.
Array libraries are recognised by name: none is imported for an array of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import ChunkReadError, OptionError
from brickfield.model import Axis
from brickfield.sources.arrays.sliced import Fetch, SlicedArray
from brickfield.sources.geometry import NUMERIC_KINDS, virtual_chunk_shape
from brickfield.sources.io.cancellation import result_of
from brickfield.sources.protocol import StoredArray


def check_array(array: Any, what: str) -> None:
    """Refuse what cannot be drawn.

    Parameters
    ----------
    array
        What a user gave.
    what : str
        What it is called in the message.

    Raises
    ------
    OptionError
        If it is no array, has fewer than two axes, no voxels, or values that are
        not real numbers.
    """
    if not all(hasattr(array, name) for name in ("shape", "dtype", "__getitem__")):
        msg = (
            f"expected an array (shape, dtype and slicing) as {what}; found"
            f" {type(array).__name__}: wrap it with numpy.asarray"
        )
        raise OptionError(msg)
    shape = tuple(array.shape)
    if any(n != n for n in shape):
        msg = f"expected a known shape for {what}; found {shape}: compute chunk sizes"
        raise OptionError(msg)
    if len(shape) < 2 or 0 in shape:
        msg = f"expected two or more axes, none of length 0, for {what}; found {shape}"
        raise OptionError(msg)
    if dtype_of(array).kind not in NUMERIC_KINDS:
        msg = (
            f"expected real numbers for {what}; found the data type {array.dtype}:"
            " convert it first, for example with abs() or astype"
        )
        raise OptionError(msg)


def dtype_of(array: Any) -> np.dtype[np.generic]:
    """Data type of any library's array, as numpy's."""
    found = getattr(array.dtype, "numpy_dtype", array.dtype)
    try:
        dtype: np.dtype[np.generic] = np.dtype(found)
    except TypeError:
        return np.dtype(object)
    return dtype


def as_stored_array(array: Any, axes: Sequence[Axis], name: str) -> StoredArray:
    """Wrap an array of any library so that it is read in its own chunks.

    Parameters
    ----------
    array
        numpy, memmap, dask, zarr, tensorstore, h5py, or anything with shape, dtype and
        slicing.
    axes : sequence of Axis
        Of the array, in its order.
    name : str
        For messages.
    """
    library = type(array).__module__.partition(".")[0]
    if library == "h5py":
        from brickfield.sources.hdf5.dataset import HDF5Dataset

        return HDF5Dataset.of(array)
    if library == "zarr":
        array = _reopened(array)
        library = type(array).__module__.partition(".")[0]
    shape = tuple(int(n) for n in array.shape)
    chunk, fetch = _by_library(library, array, axes)
    fetch = _guarded(array, fetch) if isinstance(array, np.memmap) else fetch
    return SlicedArray(shape, chunk, dtype_of(array), fetch, name)


def _by_library(
    library: str, array: Any, axes: Sequence[Axis]
) -> tuple[tuple[int, ...], Fetch]:
    if library == "dask":
        chunk = tuple(
            Counter(sizes).most_common(1)[0][0] if len(set(sizes)) > 2 else max(sizes)
            for sizes in array.chunks
        )
        return chunk, lambda s: array[s].compute(scheduler="synchronous")
    if library == "tensorstore":
        from tensorstore import d

        zero_based = array[d[:].translate_to[0]]
        layout = zero_based.chunk_layout.read_chunk.shape or ()
        return _valid_chunk(layout, array, axes), lambda s: result_of(
            zero_based[s].read()
        )
    chunks = getattr(array, "chunks", None)
    return _valid_chunk(chunks, array, axes), lambda s: array[s]


def _valid_chunk(chunks: Any, array: Any, axes: Sequence[Axis]) -> tuple[int, ...]:
    shape = tuple(int(n) for n in array.shape)
    is_grid = isinstance(chunks, tuple) and len(chunks) == len(shape)
    if not is_grid or not all(isinstance(n, int) and n > 0 for n in chunks):
        return virtual_chunk_shape(shape, axes)
    # An array in one piece has no real chunks: planned ones split it better.
    if all(c >= n for c, n in zip(chunks, shape, strict=True)):
        return virtual_chunk_shape(shape, axes)
    return tuple(min(c, n) for c, n in zip(chunks, shape, strict=True))


def _guarded(array: np.memmap[Any, Any], fetch: Fetch) -> Fetch:
    """Check the file's length before each read: a cut-off map kills the process."""
    if not isinstance(array.filename, (str, Path)):
        return fetch
    path = Path(array.filename)
    needed = array.offset + array.nbytes if array.base is None else array.offset
    root = array
    while isinstance(root.base, np.memmap):
        root = root.base
    needed = max(needed, root.offset + root.nbytes)

    def checked(slices: tuple[slice, ...]) -> Any:
        try:
            found = path.stat().st_size
        except OSError as error:
            msg = f"cannot find the mapped file {path}: {error.strerror}"
            raise ChunkReadError(msg, key=str(path)) from error
        if found < needed:
            msg = f"expected {needed} bytes in {path}; found {found}: it was cut off"
            raise ChunkReadError(msg, key=str(path))
        return fetch(slices)

    return checked


def _reopened(array: Any) -> Any:
    """Open a local zarr array with tensorstore, where that can read it.

    It reads faster in threads, and a truncated blosc chunk is an error there, while
    zarr-python ends the process (numcodecs #228).
    """
    root = getattr(getattr(array, "store", None), "root", None)
    if not isinstance(root, Path):
        return array
    import tensorstore

    spec = {
        "driver": "zarr3" if array.metadata.zarr_format == 3 else "zarr",
        "kvstore": {"driver": "file", "path": f"{root / array.path}/"},
    }
    try:
        opened = tensorstore.open(spec, open=True, read=True).result()
    except (ValueError, OSError):
        return array
    same = tuple(opened.shape) == tuple(array.shape)
    return opened if same and dtype_of(opened) == dtype_of(array) else array
