"""Contrast limits from a look at the coarsest level."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import count, product
from math import inf
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.loading import Box, ChunkManager, check_selection
from brickfield.model import ScaleLevel, Selection, pack_keys
from brickfield.model.requests import ChunkedDataRequest, ChunkState, LoadedChunk
from brickfield.store.indexing import Region

MOST_VOXELS = 1 << 24
"""Levels up to this size are looked at whole."""
DENSE_FROM = 0.25
"""Share of the contrast window above which a value counts as filled."""
PATIENCE_S = 8.0
"""A store that answers more slowly is judged by what has come by then.

By nothing at all none is: white pictures would be taken for those of the data.
"""
LONGEST_S = 60.0
"""A caller that waits is not held up longer by a store that never answers."""
LOOK_S = 0.25
"""Longest time between two looks at whether something has come."""
_numbers = count()
SHARES = (1 / 2, 1 / 6, 5 / 6)
"""Places along each axis where a larger level is looked at."""


class ContrastLook(NamedTuple):
    """What a look at the voxels of a level has told.

    Attributes
    ----------
    window : tuple
        Contrast limits, low < high.
    is_dense : bool
        Whether the voxels fill the window, as solids do.
    is_constant : bool
        Whether all voxels are equal.
    is_known : bool
        Whether any voxels could be read.
    """

    window: tuple[float, float]
    is_dense: bool
    is_constant: bool
    is_known: bool = True


class Look:
    """A look at the voxels of the coarsest level: at all, or at some of a large one.

    Parameters
    ----------
    manager : ChunkManager
    selection : tuple of int
        Index on every non-spatial axis.
    read : callable
        Returns the voxels of a box (first voxel, end) of a level; raises
        ChunkReadError where it cannot.
    begins : bool
        Whether to begin to read now; else with the next request of the manager, or
        when :attr:`found` is asked for.
    patience_s : float, optional
        Most seconds that the first voxels are waited for, if they can be read at all;
        default :data:`LONGEST_S`.
    """

    def __init__(
        self,
        manager: ChunkManager,
        selection: Selection,
        read: Callable[[int, Region, Selection], NDArray[np.generic]],
        begins: bool = True,
        patience_s: float | None = None,
    ) -> None:
        pyramid = manager.source.info.pyramid
        check_selection(pyramid, selection)
        self._level = level = pyramid.n_levels - 1
        self._about = pyramid.levels[level]
        self._patience_s = LONGEST_S if patience_s is None else patience_s
        self._selection = selection
        self._read = read
        self._whole: WholeLevel | None = None
        if self._about.n_voxels <= MOST_VOXELS:
            self._whole = WholeLevel(manager, level, selection, begins=begins)

    @cached_property
    def found(self) -> ContrastLook:
        """What it has told; waits for the voxels."""
        if self._whole is not None:
            values = self._whole.values(self._patience_s)
        else:
            values = sample(self._about, self._read_box)
        window = contrast_of(values)
        told = is_dense(values, window), is_constant(values), bool(values.size)
        return ContrastLook(window, *told)

    def kept_in(self, looks: dict[Selection, ContrastLook]) -> ContrastLook:
        """Return what it has told, and keep it by selection if it is known."""
        told = self.found
        # The first of several looks at the same stays.
        return looks.setdefault(self._selection, told) if told.is_known else told

    def _read_box(self, box: Box) -> NDArray[np.generic]:
        (z, y, x), (n, h, w) = box
        region = ((z, y, x), (z + n, y + h, x + w))
        return self._read(self._level, region, self._selection)


def sample_boxes(level: ScaleLevel) -> list[Box]:
    """Choose boxes to look at: the level, or storage chunks spread over it."""
    shape = level.shape_zyx
    if level.n_voxels <= MOST_VOXELS:
        return [((0, 0, 0), shape)]
    units = level.storage_chunk_zyx
    boxes: dict[Box, None] = {}
    n_voxels = 0
    for shares in product(SHARES, repeat=3):
        z, y, x = (
            int(n * f) // u * u for n, f, u in zip(shape, shares, units, strict=True)
        )
        d, h, w = (
            min(u, n - o) for u, n, o in zip(units, shape, (z, y, x), strict=True)
        )
        box: Box = ((z, y, x), (d, h, w))
        if boxes and n_voxels + d * h * w > MOST_VOXELS:
            break
        if box not in boxes:
            boxes[box] = None
            n_voxels += d * h * w
    return list(boxes)


def sample(
    level: ScaleLevel, read: Callable[[Box], NDArray[np.generic]]
) -> NDArray[np.generic]:
    """Read the sample of a level; what cannot be read is left out.

    Parameters
    ----------
    level : ScaleLevel
    read : callable
        Returns the voxels of a box (z, y, x); raises ChunkReadError where it cannot.

    Returns
    -------
    ndarray, shape (n,)
        Values; empty when nothing could be read.
    """
    parts = []
    for box in sample_boxes(level):
        try:
            parts.append(read(box).ravel())
        except ChunkReadError:
            continue
    return (
        np.concatenate(parts) if parts else np.empty(0, level.dtype.newbyteorder("="))
    )


def level_values(
    manager: ChunkManager, level: int, selection: Selection
) -> NDArray[np.generic]:
    """Load a whole level through the cache, where its first picture finds it.

    Parameters
    ----------
    manager : ChunkManager
    level : int
    selection : Selection
        Index on every non-spatial axis.

    Returns
    -------
    ndarray, shape (n,)
        Values, the fill value for chunks that are not stored; empty when nothing
        could be read.
    """
    return WholeLevel(manager, level, selection).values()


class WholeLevel:
    """All chunks of a level, requested from the beginning on.

    Parameters
    ----------
    manager : ChunkManager
    level : int
    selection : Selection
        Index on every non-spatial axis.
    begins : bool
        Whether to begin to read now.
    """

    def __init__(
        self,
        manager: ChunkManager,
        level: int,
        selection: Selection,
        *,
        begins: bool = True,
    ) -> None:
        self._manager = manager
        self._about = manager.source.info.pyramid.levels[level]
        indices = np.indices(self._about.grid_zyx).reshape(3, -1).T
        keys = pack_keys(level, indices)
        self._n = len(keys)
        zeros = np.zeros(len(keys))
        self._visual_id = f"contrast-{next(_numbers)}"
        request = ChunkedDataRequest(
            self._visual_id, selection, keys, zeros.astype("f4"), zeros.astype("u1")
        )
        begins = begins and not manager.gathering.is_on
        manager.request_chunks(request, self._visual_id, begins=begins)

    def values(self, patience_s: float = inf) -> NDArray[np.generic]:
        """Wait for the voxels; see :func:`level_values`.

        Parameters
        ----------
        patience_s : float
            Most seconds that the first ones are waited for, at least
            :data:`PATIENCE_S`.
        """
        parts: list[NDArray[np.generic]] = []
        n_taken, began = 0, perf_counter() - self._manager.held_up_s
        while n_taken < self._n:
            left = self._left_s(began)
            if left <= 0 and (parts or left < PATIENCE_S - patience_s):
                break
            left = max(left, LOOK_S)
            end = perf_counter() + left
            self._manager.wait(self._visual_id, timeout=left)
            taken = self._manager.take_ready(self._visual_id)
            if not taken and perf_counter() < end:
                # The image was closed.
                break
            n_taken += len(taken)
            parts += [
                part for chunk in taken if (part := self._known(chunk)) is not None
            ]
        self._manager.release(self._visual_id)
        native = self._about.dtype.newbyteorder("=")
        return np.concatenate(parts) if parts else np.empty(0, native)

    def _left_s(self, began: float) -> float:
        # While views take what was read beside it, the store is not to blame.
        return began + PATIENCE_S + self._manager.held_up_s - perf_counter()

    def _known(self, chunk: LoadedChunk) -> NDArray[np.generic] | None:
        if chunk.data is not None:
            return chunk.known_voxels()
        if chunk.state is not ChunkState.MISSING:
            return None
        n_voxels = int(np.prod(self._about.chunk_shape))
        return np.full(n_voxels, self._about.fill_value).astype(self._about.dtype)


def contrast_of(
    values: NDArray[np.generic], shares: tuple[float, float] = (0.001, 0.999)
) -> tuple[float, float]:
    """Choose contrast limits for values of any shape.

    Parameters
    ----------
    values : ndarray
    shares : tuple of float
        Shares of the values, 0 to 1, that lie below the limits.

    Returns
    -------
    low, high : int or float
        About these quantiles, low < high; whole numbers for integers.
    """
    if values.dtype.kind == "b":
        return 0, 1
    values = values.ravel()
    if values.dtype.kind == "c":
        values = np.abs(values)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)].astype(np.float64)
    if not values.size:
        return (0, 1) if values.dtype.kind in "iu" else (0.0, 1.0)
    # Values of the data themselves: interpolation would lose large integers.
    ranks = [round(share * (values.size - 1)) for share in shares]
    low, high = np.partition(values, ranks)[ranks].tolist()
    if low == high:
        low, high = values.min().item(), values.max().item()
    if low == high:
        zero = type(low)(0)
        low, high = min(low, zero), max(high, zero)
    return (low, high) if low < high else (low, low + 1)


def is_constant(values: NDArray[np.generic]) -> bool:
    """Tell whether values are all equal; so are none at all.

    Parameters
    ----------
    values : ndarray, any shape
    """
    return not values.size or bool((values == values.flat[0]).all())


def is_dense(values: NDArray[np.generic], window: tuple[float, float]) -> bool:
    """Tell whether more than half of the values are well inside a window.

    Such data (electron microscopy, a CT of a solid) have no dark surroundings: a
    maximum along rays shows nothing of them.

    Parameters
    ----------
    values : ndarray, any shape
    window : tuple of float
        Contrast limits, low and high.
    """
    if values.dtype.kind not in "iuf" or not values.size:
        return False
    low, high = window
    limit = low + DENSE_FROM * (high - low)
    return bool(np.count_nonzero(np.greater(values, limit)) > 0.5 * values.size)
