"""Which boxes a camera can see.

The test never drops a box that intersects the visible region; it may keep one
that only comes near an edge of it. A box is dropped when it lies wholly outside
of one plane, or when the region lies wholly beside it along z, y or x (the
separating axes of the box; this catches large boxes that the planes alone
keep). Containment is exact: a convex region contains a box when the corner that
is farthest out along each plane is inside.

Planes are carried into data space, where chunks are axis-aligned for any world
transform, so rotated and sheared layers cost nothing extra and lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, ChunkId, Frustum, Pyramid
from brickfield.planning.grid import Bools, Boxes, CellGrid, Floats, Ints, cell_grid

CullingMode = Literal["any", "all"]
_ROUNDING = 1e-9


@lru_cache(maxsize=4096)
def matrices_of(world: AffineTransform) -> tuple[Floats, Floats]:
    """Return the matrices of an image's transform and of its inverse, shape (4, 4)."""
    return world.matrix, world.inverse.matrix


@lru_cache(maxsize=4096)
def is_invertible(world: AffineTransform) -> bool:
    """Tell whether an image's transform has an inverse."""
    return bool(abs(np.linalg.det(world.matrix[:3, :3])) > 0)


def to_data(points: ArrayLike, world: AffineTransform) -> Floats:
    """Carry points, shape (..., 3), from world to data space, (z, y, x)."""
    inverse = matrices_of(world)[1]
    return np.asarray(points, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]


@dataclass(frozen=True, eq=False)
class VisibleRegion:
    """A convex region of data space, (z, y, x).

    Attributes
    ----------
    planes : ndarray, shape (n, 4), float64
        Rows (nz, ny, nx, d); inside where ``n . p + d >= 0``.
    low, high : ndarray, shape (3,), float64
        A box round the region.
    """

    planes: Floats
    low: Floats
    high: Floats

    @classmethod
    def from_frustum(cls, frustum: Frustum, world: AffineTransform) -> VisibleRegion:
        """Carry a frustum from world to data space.

        Parameters
        ----------
        frustum : Frustum
            World.
        world : AffineTransform
            Data space to world, invertible.
        """
        # A plane equation is a row: the product with the matrix carries it to data
        # space, without an inverse and exact under shear.
        planes = frustum.planes @ matrices_of(world)[0]
        corners = to_data(frustum.corners.reshape(-1, 3), world)
        low, high = corners.min(axis=0), corners.max(axis=0)
        # Rounding must not drop what touches: widen by a billionth of all sizes.
        slack = _ROUNDING * np.maximum(np.abs(low), np.abs(high)).max()
        reach = np.abs(planes[:, :3]).sum(axis=1) * slack
        planes[:, 3] += reach + _ROUNDING * np.abs(planes[:, 3])
        return cls(planes, low - slack, high + slack)

    @classmethod
    def from_sites(
        cls, frustum: Frustum, clip_planes: Floats, matrices: Floats, inverses: Floats
    ) -> VisibleRegion:
        """Carry a frustum into the data spaces of several images.

        Parameters
        ----------
        frustum : Frustum
            World.
        clip_planes : ndarray, shape (m, n, 4), float64
            Further planes of each image, world.
        matrices, inverses : ndarray, shape (m, 4, 4), float64
            Data space to world and back.

        Returns
        -------
        VisibleRegion
            Its arrays have an axis more, the last, for the images.
        """
        own = np.broadcast_to(frustum.planes, (len(matrices), *frustum.planes.shape))
        planes = np.concatenate([own, clip_planes], axis=1) @ matrices
        corners = frustum.corners.reshape(-1, 3) @ inverses[:, :3, :3].transpose(
            0, 2, 1
        )
        corners += inverses[:, None, :3, 3]
        low, high = corners.min(axis=1), corners.max(axis=1)
        slack = _ROUNDING * np.maximum(np.abs(low), np.abs(high)).max(axis=1)[:, None]
        reach = np.abs(planes[..., :3]).sum(axis=2) * slack
        planes[..., 3] += reach + _ROUNDING * np.abs(planes[..., 3])
        return cls(np.moveaxis(planes, 0, -1), (low - slack).T, (high + slack).T)

    def intersects(self, boxes: Boxes) -> Bools:
        """Tell which boxes may be visible; none that is visible is left out.

        Parameters
        ----------
        boxes : tuple of ndarray, shape (3, n), float64
            Lower and upper corners, data space.

        Returns
        -------
        ndarray, shape (n,), bool
        """
        lower, upper = boxes
        n = self.planes[:, :3]
        # The corner farthest along each normal: if it is outside, all of the box is.
        reach = np.maximum(n, 0) @ upper + np.minimum(n, 0) @ lower
        is_kept = (reach >= -self.planes[:, 3:]).all(axis=0)
        is_kept &= (lower <= self.high[:, None]).all(axis=0)
        is_kept &= (upper >= self.low[:, None]).all(axis=0)
        return np.asarray(is_kept)

    def contains(self, boxes: Boxes) -> Bools:
        """Tell which boxes lie wholly inside, shape (n,); see :meth:`intersects`."""
        lower, upper = boxes
        n = self.planes[:, :3]
        reach = np.maximum(n, 0) @ lower + np.minimum(n, 0) @ upper
        return np.asarray((reach >= -self.planes[:, 3:]).all(axis=0))


def frustum_from_corners(corners: ArrayLike) -> Frustum:
    """Make the planes that belong to eight corners.

    Parameters
    ----------
    corners : array_like, shape (2, 4, 3) or (8, 3)
        Near and far x corner x (z, y, x), world; corners run round the quad. The
        near quad may be a point (an apex) or equal to the far one (a slice).

    Raises
    ------
    OptionError
        If the corners span no area.
    """
    near, far = np.asarray(corners, dtype=np.float64).reshape(2, 4, 3)
    middle = np.concatenate([near, far]).mean(axis=0)
    normals = [np.cross(q[2] - q[0], q[3] - q[1]) for q in (near, far)]
    # The near quad of a perspective view may be a point, without a normal.
    axis = max(normals, key=lambda n: float(np.linalg.norm(n)))
    length = np.linalg.norm(axis)
    if not length > 0:
        msg = "expected frustum corners that span a view; found an empty quad"
        raise OptionError(msg)
    axis = axis / length
    depth = far.mean(axis=0) - near.mean(axis=0)
    is_slice = bool(np.linalg.norm(depth) == 0)
    if depth @ axis < 0:
        axis = -axis
    rows = [_plane(axis, near.mean(axis=0)), _plane(-axis, far.mean(axis=0))]
    # For the same reason the sides are taken from the wider quad.
    wide = far if np.ptp(far, axis=0).sum() >= np.ptp(near, axis=0).sum() else near
    for i in range(4):
        side = axis if is_slice else far[i] - near[i]
        normal = np.cross(wide[(i + 1) % 4] - wide[i], side)
        normal = normal / max(float(np.linalg.norm(normal)), 1e-300)
        # Callers may list corners either way round: normals are turned inwards here.
        if normal @ (middle - wide[i]) < 0:
            normal = -normal
        rows.append(_plane(normal, wide[i]))
    return Frustum(np.stack(rows), np.stack([near, far]))


def _plane(normal: Floats, point: Floats) -> Floats:
    return np.append(normal, -normal @ point)


def visible_cells(
    grid: CellGrid,
    level: int,
    region: VisibleRegion,
    *,
    limit: int | None = None,
    rank: Callable[[Boxes], Floats] | None = None,
) -> Ints:
    """Find the visible cells of one level without touching the others.

    Blocks of cells are halved along every axis, and only visible blocks are
    looked at again.

    Parameters
    ----------
    grid : CellGrid
    level : int
    region : VisibleRegion
    limit : int, optional
        Largest number of cells; the highest-ranked blocks are followed.
    rank : callable, optional
        ``boxes -> (n,)``, larger is kept sooner; needed with `limit`.

    Returns
    -------
    ndarray, shape (3, n), int64
        Grid indices (z, y, x).
    """
    shape = grid.shapes[level]
    # From one block over the whole grid downwards: work grows with what is visible.
    size = 1 << int(np.ceil(np.log2(shape.max())))
    halves = np.indices((2, 2, 2)).reshape(3, 1, -1)
    cells: Ints = np.zeros((3, 1), dtype=np.int64)
    while True:
        cells = cells[:, (cells < shape[:, None]).all(axis=0)]
        cells = cells[:, grid.has_volume(level, cells, size)]
        boxes = grid.edges(level, cells, size)
        is_seen = region.intersects(boxes)
        cells, boxes = cells[:, is_seen], (boxes[0][:, is_seen], boxes[1][:, is_seen])
        # Blocks that pass the test may hold no visible cell: leave room for those.
        most = limit if limit is None or size == 1 else 4 * limit
        if most is not None and rank is not None and cells.shape[1] > most:
            # The best ones are kept before they are divided, so that memory stays
            # bounded.
            cells = cells[:, np.argsort(-rank(boxes), kind="stable")[:most]]
        if size == 1:
            return cells
        size //= 2
        cells = (cells[:, :, None] + halves * size).reshape(3, -1)


class ChunkCuller:
    """Finds the chunks of a level that a view frustum meets. Any thread.

    Parameters
    ----------
    pyramid : Pyramid
    world : AffineTransform, optional
        Data space to world; by default voxel size and translation of level 0.
    """

    def __init__(self, pyramid: Pyramid, world: AffineTransform | None = None) -> None:
        self._grid = cell_grid(pyramid)
        self._world = world or AffineTransform.of_level(pyramid.levels[0])

    def find_visible_chunks(
        self,
        frustum_corners: NDArray[np.float64],
        scale: int,
        culling_mode: CullingMode = "any",
    ) -> list[ChunkId]:
        """Find the chunks of one level in a frustum.

        Parameters
        ----------
        frustum_corners : ndarray, shape (2, 4, 3), float64
            Near and far x corner x (z, y, x), world.
        scale : int
            Level, 0 is the finest.
        culling_mode : {"any", "all"}
            Chunks that intersect the frustum, or those wholly inside.

        Returns
        -------
        list of ChunkId
            In order of level and grid index.

        Raises
        ------
        OptionError
            If there is no such level or mode.
        """
        n_levels = len(self._grid.shapes)
        if not 0 <= scale < n_levels:
            msg = f"expected a level from 0 to {n_levels - 1}; found {scale}"
            raise OptionError(msg)
        if culling_mode not in ("any", "all"):
            msg = f"expected culling mode 'any' or 'all'; found {culling_mode!r}"
            raise OptionError(msg)
        frustum = frustum_from_corners(frustum_corners)
        region = VisibleRegion.from_frustum(frustum, self._world)
        cells = visible_cells(self._grid, scale, region)
        if culling_mode == "all":
            cells = cells[:, region.contains(self._grid.edges(scale, cells))]
        return sorted(ChunkId(scale, (z, y, x)) for z, y, x in cells.T.tolist())
