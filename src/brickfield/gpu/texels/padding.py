"""Padded copies: a chunk and the border of one voxel that its neighbours have.

Linear sampling at the face of a brick reads one voxel beyond it. That voxel belongs to
the neighbour; where no neighbour of the same level is loaded, the nearest own voxel is
repeated, which is also right at the edges of the volume.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int3 = tuple[int, int, int]
NEIGHBOURS: tuple[Int3, ...] = tuple(
    (dz, dy, dx)
    for dz, dy, dx in product((-1, 0, 1), repeat=3)
    if (dz, dy, dx) != (0, 0, 0)
)
"""The 26 offsets (z, y, x) round a chunk."""


def _lenders_of(offset: Int3) -> tuple[Int3, ...]:
    z, y, x = ((o, 0) if o else (0,) for o in offset)
    # The diagonal neighbour itself first, then those that share more of the place.
    found = sorted(product(z, y, x), key=lambda o: -sum(map(abs, o)))
    return tuple(o for o in found if o != (0, 0, 0))


LENDERS = {offset: _lenders_of(offset) for offset in NEIGHBOURS}
"""Which chunks can provide the voxels at an offset, best first.

At the edge of the volume there is none beyond, but the adjacent chunk still has the
voxels nearest to the corner.
"""


class _Place(NamedTuple):
    """One of the 26 parts of a border, and where its voxels come from."""

    target: tuple[slice, ...]
    lenders: tuple[tuple[Int3, tuple[slice, ...]], ...]
    own: tuple[slice, ...]


def pad_brick(
    data: NDArray[np.generic],
    border: Int3,
    neighbour: Callable[[Int3], NDArray[np.generic] | None],
    *,
    out: NDArray[np.generic] | None = None,
) -> NDArray[np.generic]:
    """Make the padded copy of a chunk.

    Parameters
    ----------
    data : ndarray, shape (z, y, x)
        The chunk's own voxels.
    border : tuple of int
        Voxels added on both sides of z, y and x: 0 or 1.
    neighbour : callable
        Gives the voxels of the chunk at an offset (dz, dy, dx), or None. Asked once
        for each offset that a border reaches.
    out : ndarray, optional
        Written to in place of a new array; as large or larger.

    Returns
    -------
    ndarray
        Shape of `data` plus twice the border, same dtype; C-contiguous, or the
        lower corner of `out`.
    """
    shape = tuple(n + 2 * b for n, b in zip(data.shape, border, strict=True))
    if out is None:
        out = np.empty(shape, data.dtype)
    padded = out if out.shape == shape else out[tuple(map(slice, shape))]
    middle, places = _places(data.shape, border)
    padded[middle] = data
    lent: dict[Int3, NDArray[np.generic]] = {}
    for offset in reached(border):
        # Looked up once for all parts of the border that it lends to.
        other = neighbour(offset)
        if other is not None and is_beside(other.shape, data.shape, offset):
            lent[offset] = other
    for target, lenders, own in places:
        for lender, source in lenders:
            if lender in lent:
                padded[target] = lent[lender][source]
                break
        else:
            # Nobody lends: the nearest own voxel, which is right at the edge of the
            # volume, and until the neighbour comes.
            padded[target] = data[own]
    return padded


def fill_slot(
    padded: NDArray[np.generic],
    slot: tuple[int, ...],
    *,
    out: NDArray[np.generic] | None = None,
) -> NDArray[np.generic]:
    """Repeat the far faces of a cut brick until it fills its slot.

    Rays at the far edge may lie beyond the voxels of a coarse level by part of a
    voxel; they must not meet what another brick left in the slot.

    Parameters
    ----------
    padded : ndarray, shape (z, y, x)
    slot : tuple of int
    out : ndarray, shape `slot`, optional
        The array whose lower corner `padded` is.
    """
    if padded.shape == slot:
        return padded
    z, y, x = padded.shape
    if out is None:
        out = np.empty(slot, padded.dtype)
        out[:z, :y, :x] = padded
    out[:z, :y, x:] = out[:z, :y, x - 1 : x]
    out[:z, y:] = out[:z, y - 1 : y]
    out[z:] = out[z - 1 : z]
    return out


@lru_cache(maxsize=8)
def reached(border: Int3) -> tuple[Int3, ...]:
    """List the offsets that a border reaches."""
    return tuple(
        o
        for o in NEIGHBOURS
        if all(b or not step for step, b in zip(o, border, strict=True))
    )


def is_beside(other: tuple[int, ...], shape: tuple[int, ...], offset: Int3) -> bool:
    """Tell whether a chunk is as wide as the one that it lends voxels to.

    Parameters
    ----------
    other, shape : tuple of int
        Of the lender and the borrower, (z, y, x).
    offset : tuple of int
        From the borrower to the lender.
    """
    # At the far edge of the volume chunks are cut, but then a whole row of them is.
    return other == shape or all(
        step or m == n for step, m, n in zip(offset, other, shape, strict=True)
    )


@lru_cache(maxsize=256)
def _places(
    shape: tuple[int, ...], border: Int3
) -> tuple[tuple[slice, ...], tuple[_Place, ...]]:
    """Return where a chunk's own voxels go, and all parts of its border."""
    middle = tuple(slice(b, b + n) for n, b in zip(shape, border, strict=True))
    places = []
    for offset in reached(border):
        lenders = tuple(
            (lender, source_of(shape, offset, lender)) for lender in LENDERS[offset]
        )
        target = tuple(
            _TARGETS[step](b, n)
            for step, n, b in zip(offset, shape, border, strict=True)
        )
        places.append(_Place(target, lenders, source_of(shape, offset, (0, 0, 0))))
    return middle, tuple(places)


_TARGETS: dict[int, Callable[[int, int], slice]] = {
    -1: lambda _, __: slice(0, 1),
    0: lambda b, n: slice(b, b + n),
    1: lambda b, n: slice(b + n, b + n + 1),
}


def source_of(shape: tuple[int, ...], offset: Int3, lender: Int3) -> tuple[slice, ...]:
    """Return which voxels of the chunk at `lender` are nearest to those at `offset`.

    Parameters
    ----------
    shape : tuple of int
        Of the chunk that borrows, (z, y, x).
    offset, lender : tuple of int
        Zeros as the lender: the chunk itself.
    """
    source = []
    for n, step, lent in zip(shape, offset, lender, strict=True):
        if step == 0:
            source.append(slice(0, n))
        # On the lower side the neighbour lends its last voxel and the chunk itself its
        # first; on the upper side the other way round.
        elif (step < 0) == bool(lent):
            source.append(slice(-1, None))
        else:
            source.append(slice(0, 1))
    return tuple(source)
