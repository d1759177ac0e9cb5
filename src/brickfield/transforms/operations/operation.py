"""What can be done with a volume: the interface of operations, and their pieces.

Invariant: an operation is a frozen, picklable value. It makes a region of its output
from boxes of its input and reads nothing else: the regions of any partition, put
together, are what one call for the whole gives. Between the pieces of a region it asks
whether it is still wanted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, shift
from brickfield.model import Int3
from brickfield.transforms.operations.convention import Matrix
from brickfield.transforms.operations.grid import Region

AnyArray = NDArray[Any]
ReadBox = Callable[[Region], AnyArray]
"""Gives the voxels of a box (z, y, x), all of which lie inside the volume."""
PIECE = (64, 64, 64)
"""Output voxels made at once, 5 to 30 ms of work: the longest between two looks."""


def _always() -> None:
    """Want the work whatever happens."""


def _alone(key: Hashable, make: Callable[[], Any]) -> Any:
    """Make what nobody else needs."""
    return make()


@dataclass(frozen=True)
class Volume:
    """What an operation reads.

    Attributes
    ----------
    shape : tuple of int
        (z, y, x).
    dtype : numpy.dtype
        Integers, floats or booleans, native byte order.
    read : callable
        See :data:`ReadBox`.
    check : callable
        Called between pieces; what it raises ends the work.
    shared : callable
        Given a key and a function, returns what the function makes, which has
        ``nbytes``: once for all regions of the volume where many are made.
    """

    shape: Int3
    dtype: np.dtype[Any]
    read: ReadBox
    check: Callable[[], None] = field(default=_always)
    shared: Callable[[Hashable, Callable[[], Any]], Any] = field(default=_alone)


class Operation(Protocol):
    """Makes regions of its output."""

    def output_shape(self, shape: Int3) -> Int3:
        """Return the shape of the output for a source of a shape (z, y, x)."""
        ...

    def forward(self) -> Matrix:
        """Return where source voxels go, in output voxels."""
        ...

    def box_of(self, region: Region, shape: Int3) -> Region | None:
        """Return the source voxels that a region needs; None where it needs none.

        Parameters
        ----------
        region : tuple of slice
            Voxels of the output (z, y, x).
        shape : tuple of int
            Of the source.
        """
        ...

    def make(self, volume: Volume, region: Region) -> AnyArray:
        """Make a region of the output, of the source's data type.

        Parameters
        ----------
        volume : Volume
        region : tuple of slice
            Voxels of the output (z, y, x).

        Returns
        -------
        ndarray, shape of the region (z, y, x)
        """
        ...

    def scratch_bytes(self, size: Int3, shape: Int3, dtype: np.dtype[Any]) -> int:
        """Return the memory that a region of a size takes beside itself.

        Parameters
        ----------
        size : tuple of int
            Of the region (z, y, x).
        shape : tuple of int
            Of the source.
        dtype : numpy.dtype
        """
        ...

    def n_steps(self, region: Region, shape: Int3) -> int:
        """Return how often a region asks whether it is wanted, at least.

        Parameters
        ----------
        region : tuple of slice
        shape : tuple of int
            Of the source (z, y, x).
        """
        ...

    def parameters(self) -> dict[str, Any]:
        """Return what it does in plain JSON values."""
        ...


def key_of(operation: Operation) -> str:
    """Return an operation as canonical JSON: equal for equal ones alone."""
    values = {"operation": type(operation).__name__, **operation.parameters()}
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def pieces(region: Region, most: Int3 = PIECE) -> Iterator[tuple[Region, Region]]:
    """Cut a region into pieces.

    Parameters
    ----------
    region : tuple of slice
    most : tuple of int
        Largest piece (z, y, x).

    Yields
    ------
    piece : tuple of slice
        Voxels of the output.
    place : tuple of slice
        The same, counted from the region's start.
    """
    start = tuple(s.start for s in region)
    back = tuple(-s for s in start)
    for block in BlockGrid(shape_of(region), most):
        z, y, x = shift(block.slices, back)
        pz, py, px = block.slices
        yield (z, y, x), (pz, py, px)


def shape_of(region: Region) -> Int3:
    """Return the voxels of a region along every axis."""
    z, y, x = (s.stop - s.start for s in region)
    return (z, y, x)


def n_voxels(region: Region) -> int:
    """Return the voxels of a region."""
    return prod(shape_of(region))


def n_pieces(region: Region, most: Int3 = PIECE) -> int:
    """Return how many pieces a region is cut into.

    Parameters
    ----------
    region : tuple of slice
    most : tuple of int
    """
    return len(BlockGrid(shape_of(region), most))
