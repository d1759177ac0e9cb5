"""Dask arrays whose blocks form no grid, each block computed once.

Readers ask for the cells of a grid. A block that several cells need is computed for the
first of them, waits in the scratch folder, and goes when all of its voxels were read.
A block within one cell is never stored.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Slices, intersect, shift
from brickfield.imaris.reading.staging import Scratch, read_part

Index = tuple[int, ...]


def is_irregular(array: Any) -> bool:
    """Tell whether something is a dask array whose blocks form no grid."""
    if type(array).__module__.partition(".")[0] != "dask":
        return False
    return any(
        len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0] for sizes in array.chunks
    )


@dataclass(eq=False)
class _Block:
    n_left: int
    path: Path | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class IrregularArray:
    """Such an array, to be sliced cell by cell. From any thread.

    Parameters
    ----------
    array : dask array
    scratch : Scratch

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    chunks : tuple of int
        Cell of the grid: as long as the longest block along each axis.
    n_computed : int
        Blocks computed so far.
    """

    def __init__(self, array: Any, scratch: Scratch) -> None:
        self._array = array
        self._scratch = scratch
        self.shape = tuple(int(n) for n in array.shape)
        self.dtype = np.dtype(array.dtype)
        self.chunks = tuple(max(sizes) for sizes in array.chunks)
        self._edges = [[0, *accumulate(sizes)] for sizes in array.chunks]
        self._lock = threading.Lock()
        self._known: dict[Index, _Block] = {}
        self.n_computed = 0

    def __getitem__(self, region: Slices) -> NDArray[Any]:
        """Return the voxels of a region, all axes."""
        origin = tuple(s.start for s in region)
        out = np.empty([s.stop - s.start for s in region], self.dtype)
        spans = [
            range(bisect_right(edges, s.start) - 1, bisect_right(edges, s.stop - 1))
            for edges, s in zip(self._edges, region, strict=True)
        ]
        for index in product(*spans):
            place = self._place(index)
            common = intersect(place, region)
            out[shift(common, origin)] = self._part(index, place, common)
        return out

    def _place(self, index: Index) -> Slices:
        return tuple(
            slice(edges[i], edges[i + 1])
            for edges, i in zip(self._edges, index, strict=True)
        )

    def _part(self, index: Index, place: Slices, common: Slices) -> NDArray[Any]:
        part = shift(common, tuple(s.start for s in place))
        with self._lock:
            block = self._known.setdefault(index, _Block(_size(place)))
        with block.lock:
            block.n_left -= _size(common)
            if block.path is not None:
                found = read_part(block.path, part)
            else:
                whole = self._computed(index)
                found = whole[part]
                if block.n_left > 0:
                    name = "-".join(map(str, ("block", id(self), *index)))
                    block.path = self._scratch.put(name, whole)
            if block.n_left <= 0 and block.path is not None:
                block.path.unlink(missing_ok=True)
                block.path = None
            return found

    def _computed(self, index: Index) -> NDArray[Any]:
        with self._lock:
            self.n_computed += 1
        found = self._array.blocks[index].compute(scheduler="synchronous")
        return np.asarray(found)


def _size(region: Sequence[slice]) -> int:
    return prod(s.stop - s.start for s in region)
