"""Levels of a pyramid and how their voxels lie in space.

The geometry of a level is exactly what the file gives: nothing here assumes factors of
two, nested chunks or equal voxel sizes. Two spaces occur. *Level space* counts voxels
of one level, the centre of voxel i lies at i. *Data space* is the level space of level
0. ``downscale`` and ``offset`` lead from the first to the second: ``p = downscale * q +
offset``.

An :class:`Axis` is one axis of a stored array: its name, kind and unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

AxisKind = Literal["space", "time", "channel", "other"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a stored array.

    Attributes
    ----------
    name : str
        As the file names it, for example ``"z"``.
    kind : {"space", "time", "channel", "other"}
    unit : str or None
        As the file names it, for example ``"micrometer"``; None if not given.
    """

    name: str
    kind: AxisKind = "space"
    unit: str | None = None


Vec3 = tuple[float, float, float]
Int3 = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ScaleLevel:
    """One level of a pyramid.

    Attributes
    ----------
    path : str
        Name of the level's array in its store.
    shape : tuple of int
        Shape of the stored array, all axes, in the array's axis order.
    dtype : numpy.dtype
        As stored (native byte order once read).
    storage_chunk_shape : tuple of int
        Unit of decoding, all axes (the inner chunk of a sharded array).
    voxel_size : tuple of float
        World units a step of one index, all axes.
    translation : tuple of float
        World coordinate of the centre of voxel 0, all axes.
    spatial_axes : tuple of int
        Position of z, y and x among the array's axes; -1 for an absent axis,
        which then counts as one voxel thick.
    chunk_shape : tuple of int
        Planned chunk (z, y, x), in voxels of this level.
    fill_value : float or int
        Value of voxels whose storage chunk is not stored.
    read_factor : float
        Voxels that are read of the store for each voxel of the level: 1 unless the
        level is sampled from a finer one.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    storage_chunk_shape: tuple[int, ...]
    voxel_size: tuple[float, ...]
    translation: tuple[float, ...]
    spatial_axes: Int3
    chunk_shape: Int3
    fill_value: float | int = 0
    read_factor: float = 1.0

    def _spatial(self, values: tuple[float, ...], absent: float) -> Vec3:
        z, y, x = (values[a] if a >= 0 else absent for a in self.spatial_axes)
        return (z, y, x)

    @property
    def shape_zyx(self) -> Int3:
        """Voxels along z, y and x."""
        z, y, x = self._spatial(self.shape, 1)
        return (int(z), int(y), int(x))

    @property
    def storage_chunk_zyx(self) -> Int3:
        """Decoding unit along z, y and x."""
        z, y, x = self._spatial(self.storage_chunk_shape, 1)
        return (int(z), int(y), int(x))

    @property
    def voxel_size_zyx(self) -> Vec3:
        """World units a voxel along z, y and x (1 for an absent axis)."""
        return self._spatial(self.voxel_size, 1.0)

    @property
    def translation_zyx(self) -> Vec3:
        """World coordinate of the centre of voxel 0 along z, y and x."""
        return self._spatial(self.translation, 0.0)

    @property
    def grid_zyx(self) -> Int3:
        """Planned chunks along z, y and x."""
        z, y, x = (
            ceil(n / c) for n, c in zip(self.shape_zyx, self.chunk_shape, strict=True)
        )
        return (z, y, x)

    @property
    def n_voxels(self) -> int:
        """Voxels of one selection (z, y, x only)."""
        z, y, x = self.shape_zyx
        return z * y * x

    def with_chunk_shape(self, chunk_shape: Int3) -> ScaleLevel:
        """Return the same level, planned in other chunks."""
        return replace(self, chunk_shape=chunk_shape)


@dataclass(frozen=True, slots=True)
class Pyramid:
    """All levels of one image, level 0 the finest.

    Attributes
    ----------
    axes : tuple of Axis
        Axes of the stored arrays, in their order, equal for all levels.
    levels : tuple of ScaleLevel
    """

    axes: tuple[Axis, ...]
    levels: tuple[ScaleLevel, ...]
    _known: dict[str, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __hash__(self) -> int:
        # Caches of plans ask at every camera change; dozens of values are hashed.
        found: int | None = self._known.get("hash")
        if found is None:
            found = self._known["hash"] = hash((self.axes, self.levels))
        return found

    def __getstate__(self) -> tuple[Any, ...]:
        # Without the hash, which is another one in another process.
        return self.axes, self.levels

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(("axes", "levels", "_known"), (*state, {}), strict=True):
            object.__setattr__(self, name, value)

    def _table(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return an array that is made once, read-only."""
        found: NDArray[Any] | None = self._known.get(name)
        if found is None:
            found = self._known[name] = make()
            found.flags.writeable = False
        return found

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.levels)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Data type of level 0."""
        return self.levels[0].dtype

    @property
    def spatial_axes(self) -> Int3:
        """Position of z, y, x among the axes; -1 for an absent one."""
        return self.levels[0].spatial_axes

    @property
    def other_axes(self) -> tuple[int, ...]:
        """Positions of the non-spatial axes, in axis order."""
        return tuple(i for i in range(len(self.axes)) if i not in self.spatial_axes)

    @property
    def channel_axis(self) -> int | None:
        """Position of the channel axis, None without one."""
        return self._first("channel")

    @property
    def time_axis(self) -> int | None:
        """Position of the time axis, None without one."""
        return self._first("time")

    def _first(self, kind: str) -> int | None:
        return next((i for i, a in enumerate(self.axes) if a.kind == kind), None)

    @property
    def unit(self) -> str | None:
        """Unit of the x axis (or the last spatial axis there is)."""
        for axis in reversed(self.spatial_axes):
            if axis >= 0:
                return self.axes[axis].unit
        return None

    def _of_levels(self, name: str) -> NDArray[np.int64]:
        """Return whole numbers (z, y, x) of every level, shape (n_levels, 3)."""
        return self._table(
            name, lambda: np.array([getattr(lv, name) for lv in self.levels], np.int64)
        )

    @property
    def downscale(self) -> NDArray[np.float64]:
        """Voxel size over level 0's, shape (n_levels, 3), (z, y, x)."""
        return self._table("downscale", self._downscale)

    def _downscale(self) -> NDArray[np.float64]:
        sizes = np.array([lv.voxel_size_zyx for lv in self.levels], dtype=np.float64)
        relative: NDArray[np.float64] = sizes / sizes[0]
        return relative

    @property
    def offset(self) -> NDArray[np.float64]:
        """Data-space coordinate of every level's voxel 0, shape (n_levels, 3)."""
        return self._table("offset", self._offset)

    def _offset(self) -> NDArray[np.float64]:
        shift = np.array([lv.translation_zyx for lv in self.levels], dtype=np.float64)
        size0 = np.array(self.levels[0].voxel_size_zyx, dtype=np.float64)
        offset: NDArray[np.float64] = (shift - shift[0]) / size0
        return offset

    @property
    def shapes_zyx(self) -> NDArray[np.int64]:
        """Voxels of every level, shape (n_levels, 3)."""
        return self._of_levels("shape_zyx")

    @property
    def chunk_shapes(self) -> NDArray[np.int64]:
        """Planned chunk of every level, shape (n_levels, 3)."""
        return self._of_levels("chunk_shape")

    @property
    def grids_zyx(self) -> NDArray[np.int64]:
        """Planned chunks of every level, shape (n_levels, 3)."""
        return self._of_levels("grid_zyx")

    @property
    def data_bounds(self) -> tuple[Vec3, Vec3]:
        """Edges of level 0 in data space: (-0.5, …) and (n - 0.5, …)."""
        z, y, x = self.levels[0].shape_zyx
        return (-0.5, -0.5, -0.5), (z - 0.5, y - 0.5, x - 0.5)

    @property
    def outer_bounds(self) -> tuple[Vec3, Vec3]:
        """Edges of the box round the voxels of all levels in data space.

        The last voxels of coarse levels often end beyond level 0, because rounding
        up makes them stand for fewer voxels than the others.
        """
        (z0, y0, x0), (z1, y1, x1) = self._table("outer", self._outer).tolist()
        return (z0, y0, x0), (z1, y1, x1)

    def _outer(self) -> NDArray[np.float64]:
        boxes = np.array([self.level_bounds(i) for i in range(self.n_levels)])
        return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])

    def level_bounds(self, level: int) -> tuple[Vec3, Vec3]:
        """Edges of one level's own voxels in data space."""
        lower = self.offset[level] - 0.5 * self.downscale[level]
        upper = lower + self.downscale[level] * self.shapes_zyx[level]
        (z0, y0, x0), (z1, y1, x1) = lower.tolist(), upper.tolist()
        return (z0, y0, x0), (z1, y1, x1)

    def with_chunk_shapes(self, shapes: tuple[Int3, ...]) -> Pyramid:
        """Return the same pyramid, planned in other chunks (one shape per level)."""
        levels = tuple(
            lv.with_chunk_shape(s) for lv, s in zip(self.levels, shapes, strict=True)
        )
        return replace(self, levels=levels)

    def grown_to(self, shape: tuple[int, ...], found: Pyramid) -> Pyramid | None:
        """Return the same pyramid with longer axes, as far as another one has them.

        Planned chunks keep their shape, so that each keeps its name.

        Parameters
        ----------
        shape : tuple of int
            Of level 0, all axes; none of them shorter.
        found : Pyramid
            The image as it is stored now; levels that it has more are left out.

        Returns
        -------
        Pyramid or None
            None where the other one is not the same image, only longer: where it does
            not reach so far on every level, or anything else differs.
        """
        if found.axes != self.axes or found.n_levels < self.n_levels:
            return None
        levels = []
        for mine, other in zip(self.levels, found.levels, strict=False):
            like = replace(other, shape=mine.shape, chunk_shape=mine.chunk_shape)
            lengths = self._lengths(mine, shape, other)
            if like != mine or lengths is None:
                return None
            levels.append(replace(mine, shape=lengths))
        return replace(self, levels=tuple(levels))

    def _lengths(
        self, mine: ScaleLevel, shape: tuple[int, ...], other: ScaleLevel
    ) -> tuple[int, ...] | None:
        """Return the shape of one level where level 0 has another; None if it lacks."""
        first, lengths = self.levels[0], []
        for axis, n in enumerate(shape):
            stored, before = other.shape[axis], mine.shape[axis]
            if n == first.shape[axis]:
                least = most = before
            else:
                ratio = mine.voxel_size[axis] / first.voxel_size[axis]
                # Writers of pyramids round up or down.
                least = max(before, 1, int(n / ratio + 1e-6))
                most = max(least, ceil(n / ratio - 1e-6))
            if stored < least:
                return None
            lengths.append(min(stored, most))
        return tuple(lengths)


def choose_chunk_shape(
    shape_zyx: Int3, storage_chunk_zyx: Int3, *, edge: int = 64
) -> Int3:
    """Choose the planned chunk of a level from what is stored.

    A chunk edge that divides the storage chunk (or is a multiple of it) lets a
    decoded storage chunk be split without remainders. Edges stay between nearly
    `edge` (smaller ones would waste GPU memory on borders) and 13/8 of it, thin
    axes are taken whole and the other axes then grow to keep about ``edge**3``
    voxels.

    Parameters
    ----------
    shape_zyx, storage_chunk_zyx : tuple of int
        Voxels of the level and of its decoding unit.
    edge : int
        Wished edge, voxels.

    Returns
    -------
    tuple of int
        Chunk shape (z, y, x), voxels.
    """
    thin = [n < edge * 3 // 4 for n in shape_zyx]
    wished = edge
    if any(thin):
        room = edge**3
        for n, is_thin in zip(shape_zyx, thin, strict=True):
            room = room // n if is_thin else room
        n_thick = 3 - sum(thin)
        if n_thick:
            wished = min(256, max(edge, int(room ** (1 / n_thick)) // edge * edge))
    z, y, x = (
        n if is_thin or n <= wished else min(n, _fitting_edge(min(s, n), wished))
        for n, s, is_thin in zip(shape_zyx, storage_chunk_zyx, thin, strict=True)
    )
    return (z, y, x)


def _fitting_edge(storage: int, wished: int) -> int:
    low, high = wished - wished // 32, wished * 13 // 8
    if storage >= low:
        # By edges, of which there are few, not by how many of them there are: that may
        # be millions along an axis stored as one piece.
        fits = [e for e in range(min(high, storage), low - 1, -1) if storage % e == 0]
    else:
        fits = [storage * k for k in range(1, high // storage + 1)]
    fits = [e for e in fits if low <= e <= high]
    return min(fits, key=lambda e: abs(e - wished)) if fits else wished
