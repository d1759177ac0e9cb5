"""From a view to requests and back: a camera is planned, a region is culled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError
from brickfield.loading import ChunkManager, LevelLayout
from brickfield.model import (
    AffineTransform,
    CameraState,
    ChunkMetadata,
    ImageInfo,
    Pyramid,
    Selection,
    Vec3,
    pack_keys,
)
from brickfield.model.requests import (
    Category,
    ChunkedDataRequest,
    ChunkedDataResponse,
    ChunkState,
    LoadedChunk,
)
from brickfield.planning import (
    EXPLORATION,
    ChunkCuller,
    CullingMode,
    LevelOfDetailSelector,
    LodPolicy,
    Occupancy,
    PlanRequest,
    plan_frame,
)

TILINGS: dict[str, CullingMode] = {"frustum": "any", "inside": "all"}
"""Chunks that meet the region, or those wholly inside of it."""
DEFAULT_BUDGET = 512 << 20
"""GPU bytes that a plan may cost unless it is told otherwise."""


@dataclass(frozen=True)
class ViewOptions:
    """How a view becomes requests.

    Attributes
    ----------
    selections : tuple of tuple of int
        Index on the non-spatial axes, one for each channel that is drawn.
    world : AffineTransform or None
        Data space to world; None takes voxel size and translation of level 0.
    budget_bytes : int
        GPU bytes that all chunks together may cost (camera).
    policy : LodPolicy
        What the choice of levels aims at (camera).
    max_scales : int
        Most levels (region).
    data_version : int
    """

    selections: tuple[Selection, ...]
    world: AffineTransform | None = None
    budget_bytes: int = DEFAULT_BUDGET
    policy: LodPolicy = field(default=EXPLORATION)
    max_scales: int = 3
    data_version: int = 0


Wanted = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.uint8]]


def plan_camera(
    pyramid: Pyramid,
    camera: CameraState,
    options: ViewOptions,
    occupancy: Occupancy | None = None,
) -> Wanted:
    """Plan the chunks of a camera: keys, priorities and categories.

    Parameters
    ----------
    pyramid : Pyramid
    camera : CameraState
        World units.
    options : ViewOptions
        Selections, policy and budget of the view.
    occupancy : Occupancy, optional
        Which chunks are known to be empty.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Keys, priorities and categories, most wanted first.
    """
    border = 2
    n = len(options.selections)
    brick_bytes = tuple(
        n * int(np.prod(np.array(lv.chunk_shape) + border)) * lv.dtype.itemsize
        for lv in pyramid.levels
    )
    request = PlanRequest(
        pyramid=pyramid,
        world=options.world or AffineTransform.of_level(pyramid.levels[0]),
        camera=camera,
        brick_bytes=brick_bytes,
        policy=options.policy,
        occupancy=occupancy,
    )
    plan = plan_frame(request, options.budget_bytes)
    return plan.keys, plan.priorities, plan.categories


def cull_region(
    pyramid: Pyramid, corners: ArrayLike, mode: CullingMode, options: ViewOptions
) -> Wanted:
    """List the chunks of a region, coarse before fine, near before far.

    Parameters
    ----------
    pyramid : Pyramid
    corners : array_like, shape (2, 4, 3)
        Near and far x corner x (z, y, x), world.
    mode : {"any", "all"}
    options : ViewOptions
    """
    quads = np.asarray(corners, dtype=np.float64)
    box = AffineTransform.of_level(pyramid.levels[0])
    world = options.world or box
    selector = LevelOfDetailSelector(pyramid.levels)
    # The selector measures along the axes of the voxels.
    straight = quads if world == box else (box @ world.inverse).apply(quads)
    culler = ChunkCuller(pyramid, world)
    eye = quads[0].mean(axis=0)
    keys, priorities, categories = [], [], []
    scales = selector.select_scales(straight, max_scales=options.max_scales)
    for step, level in enumerate(dict.fromkeys(scales)):
        found = culler.find_visible_chunks(quads, level, mode)
        indices = np.array([c.index for c in found], dtype=np.int64).reshape(-1, 3)
        middle = (indices + 0.5) * pyramid.chunk_shapes[level] - 0.5
        points = world.apply(middle * pyramid.downscale[level] + pyramid.offset[level])
        distance = np.linalg.norm(points - eye, axis=1)
        nearness = distance / max(float(distance.max(initial=0.0)), 1e-300)
        keys.append(pack_keys(level, indices))
        priorities.append((step + 0.999 * nearness).astype(np.float32))
        category = Category.VISIBLE if step else Category.BASE
        categories.append(np.full(len(found), category, np.uint8))
    joined = (
        np.concatenate(keys),
        np.concatenate(priorities),
        np.concatenate(categories),
    )
    order = np.lexsort((joined[1], joined[2]))
    return joined[0][order], joined[1][order], joined[2][order]


def box_corners(low: Vec3, high: Vec3) -> NDArray[np.float64]:
    """Return the corners of a world box as the frustum of a view along z.

    Parameters
    ----------
    low : Vec3
        Lower corner (z, y, x), world.
    high : Vec3
        Upper corner (z, y, x), world.

    Returns
    -------
    ndarray, shape (2, 4, 3)
        Near and far quad (z, y, x).
    """
    (z0, y0, x0), (z1, y1, x1) = low, high
    return np.array(
        [[[z, y1, x0], [z, y1, x1], [z, y0, x1], [z, y0, x0]] for z in (z0, z1)]
    )


def as_corners(region: ArrayLike) -> NDArray[np.float64]:
    """Return the corners of a region, shape (2, 4, 3).

    Raises
    ------
    OptionError
        If it is neither.
    """
    array = np.asarray(region, dtype=np.float64)
    if array.shape == (2, 4, 3):
        return array
    if array.shape == (2, 3):
        return box_corners(tuple(array[0].tolist()), tuple(array[1].tolist()))
    msg = (
        "expected a CameraState, frustum corners of shape (2, 4, 3) or the two corners"
        f" of a box, (z, y, x), world; found shape {array.shape}"
    )
    raise OptionError(msg)


def as_requests(
    wanted: Wanted, visual_id: str, options: ViewOptions
) -> list[ChunkedDataRequest]:
    """Make one request for each selection.

    Parameters
    ----------
    wanted : Wanted
        Keys, priorities and categories.
    visual_id : str
        Id of the visual that requests.
    options : ViewOptions
        Gives the selections.
    """
    selections: Sequence[Selection] = options.selections
    return [
        ChunkedDataRequest(visual_id, selection, *wanted, options.data_version)
        for selection in dict.fromkeys(selections)
    ]


def voxels_of(chunk: LoadedChunk, pyramid: Pyramid) -> NDArray[np.generic]:
    """Return the voxels of a chunk, shape (z, y, x); the fill value without any.

    Parameters
    ----------
    chunk : LoadedChunk
    pyramid : Pyramid

    Returns
    -------
    ndarray, shape (z, y, x)
    """
    if chunk.data is not None:
        return chunk.data
    name = chunk.chunk_id
    level = pyramid.levels[name.scale_level]
    shape = LevelLayout.of(pyramid, name.scale_level).box_of(name.index)[1]
    fill = np.array(level.fill_value, dtype=level.dtype.newbyteorder("="))
    return np.broadcast_to(fill, shape)


def metadata_of(
    chunk: LoadedChunk,
    priority: float,
    pyramid: Pyramid,
    placement: AffineTransform | None = None,
) -> ChunkMetadata:
    """Return what is known of a chunk, with its edges (z, y, x) in the world.

    Parameters
    ----------
    chunk : LoadedChunk
    priority : float
        Smaller is wanted sooner.
    pyramid : Pyramid
    placement : AffineTransform, optional
        Of the image; the edges are then those of the box round the turned chunk.
    """
    name = chunk.chunk_id
    layout = LevelLayout.of(pyramid, name.scale_level)
    origin, shape = layout.box_of(name.index)
    to_world = AffineTransform.of_level(pyramid.levels[name.scale_level])
    edges = np.array([origin, np.add(origin, shape)]) - 0.5
    corners = to_world.apply(edges)
    if placement is not None:
        every = np.stack(np.meshgrid(*corners.T, indexing="ij"), axis=-1).reshape(-1, 3)
        turned = placement.apply(every)
        corners = np.array([turned.min(axis=0), turned.max(axis=0)])
    low, high = (tuple(row) for row in corners.tolist())
    return ChunkMetadata(name, name.scale_level, priority, (low, high))


def respond(
    manager: ChunkManager, requests: Sequence[ChunkedDataRequest], info: ImageInfo
) -> ChunkedDataResponse:
    """Ask for chunks and collect those that are loaded.

    Parameters
    ----------
    manager : ChunkManager
    requests : sequence of ChunkedDataRequest
        Of one visual; they replace what it asked for before.
    info : ImageInfo
    """
    visual_id, pyramid = requests[0].visual_id, info.pyramid
    status = manager.request_chunks(requests, visual_id)
    here = manager.take_ready(visual_id)
    good = [c for c in here if c.state is not ChunkState.FAILED]
    known = {c.chunk_id for c in here}
    ranks: dict[tuple[Selection, int], float] = {}
    for r in requests:
        names = ((r.selection, key) for key in r.keys.tolist())
        ranks.update(zip(names, r.priorities.tolist(), strict=True))
    return ChunkedDataResponse(
        chunk_data=[voxels_of(c, pyramid) for c in good],
        chunk_metadata=[
            metadata_of(c, ranks[c.selection, c.key], pyramid, info.placement)
            for c in good
        ],
        loading_status=status,
        missing_chunks=[c for c in manager.waiting(visual_id) if c not in known],
        failures=manager.failures(visual_id),
    )
