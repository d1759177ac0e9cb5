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
    for offset in NEIGHBOURS:
        if any(o and not b for o, b in zip(offset, border, strict=True)):
            continue
        other = neighbour(offset)
        if other is not None:
            _lend(padded, data.shape, border, offset, other)
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
    offset: Int3,
    other: NDArray[np.generic],
) -> None:
    target, source = [], []
    for axis, step in enumerate(offset):
        b, n = border[axis], shape[axis]
        if step < 0:
            target.append(slice(0, b))
            source.append(slice(other.shape[axis] - b, other.shape[axis]))
        elif step > 0:
            target.append(slice(n + b, n + 2 * b))
            source.append(slice(0, b))
        else:
            # Chunks of one grid row are equally wide, except where both are cut.
            m = min(n, other.shape[axis])
            target.append(slice(b, b + m))
            source.append(slice(0, m))
    padded[tuple(target)] = other[tuple(source)]
