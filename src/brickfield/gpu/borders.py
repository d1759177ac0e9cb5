"""Padded copies: a chunk and the one voxel round it that its neighbours lend.

Linear sampling at the face of a brick reads one voxel beyond it. That voxel
belongs to the neighbour; where no neighbour of the same level is at hand the
nearest own voxel is repeated, which is also right at the edges of the volume.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

Int3 = tuple[int, int, int]
NEIGHBOURS: tuple[Int3, ...] = tuple(
    (dz, dy, dx)
    for dz, dy, dx in product((-1, 0, 1), repeat=3)
    if (dz, dy, dx) != (0, 0, 0)
)
"""The 26 offsets (z, y, x) round a chunk."""


def _lenders(offset: Int3) -> tuple[Int3, ...]:
    z, y, x = ((o, 0) if o else (0,) for o in offset)
    found = sorted(product(z, y, x), key=lambda o: -sum(map(abs, o)))
    return tuple(o for o in found if o != (0, 0, 0))


_LENDERS = {offset: _lenders(offset) for offset in NEIGHBOURS}
"""Who lends the voxels at an offset: the chunk there, or the nearest to it.

At the edge of the volume nobody is beyond, but the chunk beside still knows the
voxels nearest to the corner.
"""


def pad_brick(
    data: NDArray[np.generic],
    border: Int3,
    neighbour: Callable[[Int3], NDArray[np.generic] | None],
) -> NDArray[np.generic]:
    """Make the padded copy of a chunk.

    Parameters
    ----------
    data : ndarray, shape (z, y, x)
        The chunk's own voxels.
    border : tuple of int
        Voxels added on both sides of z, y and x: 0 or 1.
    neighbour : callable
        Gives the voxels of the chunk at an offset (dz, dy, dx), or None.

    Returns
    -------
    ndarray
        Shape of `data` plus twice the border, same dtype, C-contiguous.
    """
    width = tuple((b, b) for b in border)
    padded = np.pad(data, width, mode="edge")
    lent = {
        offset: neighbour(offset)
        for offset in NEIGHBOURS
        if all(b or not o for o, b in zip(offset, border, strict=True))
    }
    for offset in lent:
        for lender in _LENDERS[offset]:
            other = lent[lender]
            if other is not None:
                _lend(padded, data.shape, border, (offset, lender), other)
                break
    return padded


def fill_slot(
    padded: NDArray[np.generic], slot: tuple[int, ...]
) -> NDArray[np.generic]:
    """Repeat the far faces of a cut brick until it fills its slot.

    Rays at the far edge may lie beyond the voxels of a coarse level by part of a
    voxel; they must not meet what another brick left in the slot.
    """
    missing = tuple((0, s - n) for s, n in zip(slot, padded.shape, strict=True))
    return (
        np.pad(padded, missing, mode="edge") if any(m for _, m in missing) else padded
    )


def _lend(
    padded: NDArray[np.generic],
    shape: tuple[int, ...],
    border: Int3,
    places: tuple[Int3, Int3],
    other: NDArray[np.generic],
) -> None:
    """Fill the border at the first place with voxels of the chunk at the second."""
    target, source = [], []
    for axis, (step, lent) in enumerate(zip(*places, strict=True)):
        b, n = border[axis], shape[axis]
        # Chunks of one grid row are equally wide, except where both are cut.
        m = min(n, other.shape[axis])
        if step < 0:
            target.append(slice(0, b))
            end = other.shape[axis]
            source.append(slice(end - b, end) if lent else slice(0, b))
        elif step > 0:
            target.append(slice(n + b, n + 2 * b))
            source.append(slice(0, b) if lent else slice(m - b, m))
        else:
            target.append(slice(b, b + m))
            source.append(slice(0, m))
    padded[tuple(target)] = other[tuple(source)]
