"""E3b: how much too coarse a picture is, beside the best that its budget allows.

The picture is sampled: rays through a grid of pixels, and places at equal distances
along each ray inside of the volume. At a place the level that the picture deserves is
the coarsest whose voxels are at most one pixel large there, as a real number and not
below 0; the level error is by how much the level that is drawn there is coarser. Each
pixel counts the same, and so does each place along its ray.

A choice of bricks is a cut of the octree: each visible place lies in one leaf. The best
one under a budget is found exactly, by dynamic programming over the tree with the
number of bricks as the second variable. It pays for leaves alone; ours also keeps what
stands in for bricks on their way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, Setting, at_most
from benchmarks.scenes import MIB, layer_of, orbit, view_of, virtual_store
from brickfield.model import INDEX_BITS, CameraState
from brickfield.sample import VirtualImage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SIZE = (800, 600)
PIXELS = (64, 48)
PLACES = 64
"""Of each ray."""
CHUNK = 64
EDGE, BUDGET = 2048, 64 * MIB
DISTANCES = (0.05, 0.3, 0.7, 1.2)
"""Of the camera from the middle, in edges of the volume."""


@dataclass(frozen=True)
class Places:
    """Sampled places of a picture.

    Attributes
    ----------
    indices : ndarray, shape (n, 3), int64
        Chunk of level 0 (z, y, x).
    deserved : ndarray, shape (n,), float64
        Level that the picture deserves.
    weights : ndarray, shape (n,), float64
        Sum to 1.
    """

    indices: Ints
    deserved: Floats
    weights: Floats

    def errors(self, level: int) -> Floats:
        """Return weighted errors, shape (n,), if everything were of one level."""
        return np.asarray(np.maximum(level - self.deserved, 0) * self.weights)


def level_error(setting: Setting) -> list[Row]:
    """E3b."""
    ours, best, same = [], [], []
    angles = (0.5, 1.3, 2.2) if setting.is_full else (0.5, 1.3)
    for distance in DISTANCES:
        for angle in angles:
            camera = orbit((EDGE,) * 3, SIZE, distance=distance, angle=angle)
            found, slots = ours_for(camera)
            places = places_of(camera, EDGE)
            ours.append(found)
            best.append(least_error(places, EDGE // CHUNK, slots))
            same.append(least_error(places, EDGE // CHUNK, slots, keeps_parents=True))
    excess = [a - b for a, b in zip(ours, best, strict=True)]
    note = (
        f"{len(ours)} cameras, {slots} bricks; ours {_range(ours)}, best"
        f" {_range(best)}, best that also keeps all coarser bricks {_range(same)}"
    )
    what = "mean level error under 64 MiB at 2048³ above the best cut, worst camera"
    return [at_most("E3b", what, max(excess), 0.5, unit="levels", note=note)]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def ours_for(camera: CameraState) -> tuple[float, int]:
    """Plan a picture; return its mean level error and the bricks of the budget."""
    store = virtual_store(VirtualImage((EDGE,) * 3, is_hollow=False))
    with view_of(layer_of(store), camera.viewport, gpu_budget=BUDGET) as view:
        view.manager.plan(camera)
        (renderer,) = view.manager.renderers
        assert renderer.plan is not None
        leaves = renderer.plan.leaf_keys
        slot_bytes = renderer.bricks.atlas.layouts[0].slot_bytes
    return error_of(leaves, places_of(camera, EDGE)), BUDGET // slot_bytes


def places_of(camera: CameraState, edge: int) -> Places:
    """Sample a cube of `edge` voxels, a voxel at each whole number.

    Parameters
    ----------
    camera : CameraState
        A perspective one.
    edge : int
    """
    w, h = PIXELS
    x, y = np.meshgrid(
        (np.arange(w) + 0.5) / w * 2 - 1, (np.arange(h) + 0.5) / h * 2 - 1
    )
    eye = np.array(camera.position)
    clip = np.stack([x.ravel(), y.ravel(), np.full(w * h, 0.5), np.ones(w * h)])
    points = np.linalg.inv(camera.world_to_clip) @ clip
    ways = (points[:3] / points[3]).T - eye
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        walls = (np.array([[-0.5], [edge - 0.5]])[:, None] - eye) / ways
    near = np.maximum(walls.min(axis=0).max(axis=1), 0)
    far = walls.max(axis=0).min(axis=1)
    is_hit = far > near
    along = (np.arange(PLACES) + 0.5) / PLACES
    t = near[is_hit, None] + (far - near)[is_hit, None] * along
    place = eye + ways[is_hit, None] * t[..., None]
    place = place.reshape(-1, 3)
    # The last row of the matrix gives the depth.
    depth = place @ camera.world_to_clip[3, :3] + camera.world_to_clip[3, 3]
    px = camera.viewport[1] / 2 / np.tan(np.radians(camera.fov) / 2) / depth
    top = int(np.log2(edge // CHUNK))
    indices = np.clip((place + 0.5) // CHUNK, 0, edge // CHUNK - 1).astype(np.int64)
    deserved = np.clip(-np.log2(px), 0, top)
    return Places(indices, deserved, np.full(len(place), 1 / len(place)))


def error_of(leaves: Ints, places: Places) -> float:
    """Return the mean level error of a picture.

    Parameters
    ----------
    leaves : ndarray, shape (n,), int64
        Keys of the chunks that are drawn.
    places : Places
        Each must lie in a leaf.
    """
    total, is_open = 0.0, np.ones(len(places.weights), dtype=bool)
    for level in range(int(leaves.max() >> (3 * INDEX_BITS)) + 1):
        z, y, x = (places.indices >> level).T
        keys = ((level << INDEX_BITS | z) << INDEX_BITS | y) << INDEX_BITS | x
        is_here = is_open & np.isin(keys, leaves)
        total += float(places.errors(level)[is_here].sum())
        is_open &= ~is_here
    assert not is_open.any(), "each place lies in a leaf"
    return total


def least_error(
    places: Places, n_chunks: int, n_bricks: int, *, keeps_parents: bool = False
) -> float:
    """Return the least mean level error that a number of bricks allows.

    Parameters
    ----------
    places : Places
    n_chunks : int
        Of level 0 along an axis, a power of two.
    n_bricks : int
    keeps_parents : bool
        Whether the bricks above a leaf take room, too.
    """
    top = n_chunks.bit_length() - 1
    curves: dict[tuple[int, ...], Floats] = {}
    for level in range(top + 1):
        parents: dict[tuple[int, ...], Floats] = {}
        for index, curve in curves.items():
            above = (index[0] >> 1, index[1] >> 1, index[2] >> 1)
            parents[above] = (
                _joined(parents[above], curve, n_bricks) if above in parents else curve
            )
        curves = _leaf_or_finer(places, level, parents, keeps_parents)
    (root,) = curves.values()
    return float(root[min(n_bricks, len(root)) - 1])


def _leaf_or_finer(
    places: Places,
    level: int,
    finer: dict[tuple[int, ...], Floats],
    keeps_parents: bool,
) -> dict[tuple[int, ...], Floats]:
    """Return the least error of every cell by the number of bricks, from 1 on."""
    cells, row = np.unique(places.indices >> level, axis=0, return_inverse=True)
    alone = np.bincount(row.ravel(), places.errors(level), len(cells))
    curves = {}
    for cell, error in zip(map(tuple, cells.tolist()), alone.tolist(), strict=True):
        curve = np.array([error])
        # Where the cell is fine enough, nothing finer is worth a brick.
        if cell in finer and error > 0:
            below = finer[cell]
            gap = np.full(1 if keeps_parents else 0, np.inf)
            below = np.concatenate([gap, below])
            curve = np.minimum.accumulate(np.minimum(below, error))
        curves[cell] = curve
    return curves


def _joined(first: Floats, second: Floats, n_bricks: int) -> Floats:
    """Share out bricks between two parts: the least sum, by the bricks of both.

    Parameters
    ----------
    first, second : ndarray, shape (n,), float64
        Least error with 1, 2, … bricks; infinite where that is too few.
    n_bricks : int
        No more are of interest.
    """
    if len(first) > len(second):
        first, second = second, first
    found = np.full(len(first) + len(second), np.inf)
    for i, error in enumerate(first):
        part = found[i + 1 : i + 1 + len(second)]
        np.minimum(part, error + second, out=part)
    return np.minimum.accumulate(found)[:n_bricks]
