"""What lies under a pixel: place, level and value, in full precision.

The GPU tells how deep the ray went and at which level. The rest is computed in
float64 from the camera, and the value is looked up in the RAM cache in the type
of the file, so that 64-bit labels and large coordinates stay exact.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model import CameraState, PickInfo, Pyramid, Selection, Vec3, pack_keys
from brickfield.model.requests import ChunkState
from brickfield.rendering.layer_renderer import LayerRenderer
from brickfield.rendering.volume_view import VolumeView


def pick(view: VolumeView, x: float, y: float) -> PickInfo | None:
    """Tell what lies under a pixel; None beside every volume.

    Parameters
    ----------
    view : VolumeView
        Drawn before.
    x, y : float
        Logical pixels from the left and upper edge.
    """
    found = view.renderer.get_pick_info((x, y))
    hit = found.get("world_object")
    if view.camera is None:
        return None
    # The camera's pixels may be finer than the window's.
    ratios = np.divide(view.camera.viewport, view.renderer.logical_size)
    for renderer in view.manager.renderers:
        if renderer.volume is hit:
            place = (float(x * ratios[0]), float(y * ratios[1]))
            world = point_at(view.camera, *place, found["view_depth"])
            info = _describe(renderer, world, found["level"])
            return replace(info, others=_others(view, renderer, world))
    return None


def _others(
    view: VolumeView, picked: LayerRenderer, world: Vec3
) -> tuple[PickInfo, ...]:
    """Describe the same place in the other visible layers."""
    found = []
    for renderer in view.manager.renderers:
        if renderer is picked or not renderer.layer.visible:
            continue
        level = _drawn_level(renderer, world)
        if level is not None:
            found.append(_describe(renderer, world, level))
    return tuple(found)


def _drawn_level(renderer: LayerRenderer, world: Vec3) -> int | None:
    """Return the finest level drawn at a place; None outside of the layer."""
    pyramid = renderer.bricks.pyramid
    data = np.asarray(renderer.layer.world.inverse.apply(world))
    if not _is_inside(data, pyramid.outer_bounds):
        return None
    planes = [renderer.bricks.atlas.plane_of(s) for s in renderer.shown]
    # Finest first: that is what is on top where several levels are drawn.
    for level in range(pyramid.n_levels):
        # Coarse voxels may reach farther than the finer levels' do.
        if not _is_inside(data, pyramid.level_bounds(level)):
            continue
        key = int(
            pack_keys(
                level, _voxel(pyramid, data, level) // pyramid.chunk_shapes[level]
            )
        )
        if any((plane, key) in renderer.bricks.table.active for plane in planes):
            return level
    return None


def _is_inside(data: NDArray[np.float64], box: tuple[Vec3, Vec3]) -> bool:
    low, high = box
    return bool((data >= low).all() and (data <= high).all())


def _voxel(
    pyramid: Pyramid, data: NDArray[np.float64], level: int
) -> NDArray[np.int64]:
    """Return the voxel of a level at a coordinate of level 0, (z, y, x)."""
    at = (data - pyramid.offset[level]) / pyramid.downscale[level]
    last = pyramid.shapes_zyx[level] - 1
    voxel: NDArray[np.int64] = np.clip(np.rint(at), 0, last).astype(np.int64)
    return voxel


def point_at(camera: CameraState, x: float, y: float, depth: float) -> Vec3:
    """Return the world point (z, y, x) of a pixel at a view depth.

    Parameters
    ----------
    camera : CameraState
    x : float
        Column.
    y : float
        Row, from above.
    depth : float
        World units along the line of sight.
    """
    width, height = camera.viewport
    right, up, back = camera.axes
    across = (2 * x / width - 1) * camera.width_over_height
    upward = 1 - 2 * y / height
    if camera.orthographic:
        half, reach = camera.height / 2, 1.0
    else:
        half, reach = float(np.tan(np.radians(camera.fov) / 2)), depth
    point = (
        np.array(camera.position)
        + (across * right + upward * up) * half * reach
        - back * depth
    )
    return (float(point[0]), float(point[1]), float(point[2]))


def _describe(renderer: LayerRenderer, world: Vec3, level: int) -> PickInfo:
    pyramid = renderer.bricks.pyramid
    data = renderer.layer.world.inverse.apply(world)
    voxel = _voxel(pyramid, data, level)
    chunk_shape = pyramid.chunk_shapes[level]
    key = int(pack_keys(level, voxel // chunk_shape))
    values: list[Any] = []
    forgotten: list[Selection | None] = []
    for selection in renderer.shown:
        chunk = renderer.layer.loader.peek(selection, key)
        # The GPU keeps bricks whose chunks had to leave the memory.
        plane = renderer.bricks.atlas.plane_of(selection)
        is_forgotten = chunk is None and (plane, key) in renderer.bricks.table.active
        forgotten.append(selection if is_forgotten else None)
        if chunk is None or chunk.state is ChunkState.FAILED:
            values.append(None)
        elif chunk.data is None:
            values.append(pyramid.dtype.type(chunk.minimum))
        else:
            inside = tuple(voxel % chunk_shape)
            # A filled hole looks like data in the picture; the value under the cursor
            # must not.
            is_lost = bool(chunk.holes) and not chunk.is_known()[inside]
            values.append(None if is_lost else chunk.data[inside])
    z, y, x = (float(v) for v in data)
    i, j, k = (int(v) for v in voxel)
    return PickInfo(
        renderer.layer.layer,
        world,
        (z, y, x),
        level,
        (i, j, k),
        tuple(values),
        forgotten=tuple(forgotten) if any(s is not None for s in forgotten) else (),
    )
