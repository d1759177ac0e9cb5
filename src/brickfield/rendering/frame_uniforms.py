"""Writes one frame's uniforms: of one volume, and of the camera for pygfx's objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.gpu import (
    MAX_CLIP_PLANES,
    BrickSet,
    BrickVolume,
    TextureFormat,
    matrix_to_xyz,
    to_xyz,
)
from brickfield.gpu.uniforms import (
    RayUniforms,
    anchor_of,
    clip_planes_in_data,
    level_uniforms,
    ray_uniforms,
    slice_uniforms,
)
from brickfield.model import AffineTransform, CameraState, Plane, Pyramid
from brickfield.model.appearance import BLENDINGS, RAKING, Appearance
from brickfield.rendering.clipping import clip_planes_of


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """What a frame shows besides the layer's own look.

    Attributes
    ----------
    audit : bool
        Write the receipt's class of every pixel instead of a colour.
    skip : bool
        Jump over chunks that cannot matter (off only to prove that it is exact).
    background : tuple of float or None
        sRGB colour, 0 to 1, that the volume is laid over in the shader where there
        are no copies of what is behind; None writes the colour with its opacity.
    is_lowest : bool
        Whether no other visible layer is drawn before.
    has_objects : bool
        Whether rays end at opaque objects.
    step_factor : float
        Distance of samples, times the layer's own: above 1 while the camera
        moves, an odd fraction (1/3, 1/5) for finer pictures, since these keep
        the voxel centres among the samples.
    plane : Plane or None
        The slice that is shown in place of the volume.
    coarser : int
        Levels that the picture stays above the finest of the plan, where coarser ones
        are drawn: above 0 while the camera moves on a slow device.
    finest_level : int
        The level that follows of it for a layer. An audit judges all levels.
    """

    audit: bool = False
    skip: bool = True
    background: tuple[float, float, float] | None = None
    is_lowest: bool = True
    has_objects: bool = False
    step_factor: float = 1.0
    plane: Plane | None = None
    coarser: int = 0
    finest_level: int = 0


def write_look(
    volume: BrickVolume, look: Appearance, fmt: TextureFormat, planes: list[int]
) -> None:
    """Write contrast windows, thresholds and planes of all channels to the uniforms.

    Parameters
    ----------
    volume : BrickVolume
    look : Appearance
        Of the layer.
    fmt : TextureFormat
        Of the textures; converts values to samples.
    planes : list of int
        For each channel, the number of its selection in the page table.
    """
    u = volume.uniform_buffer.data
    for i, channel in enumerate(look.channels):
        low, high = (fmt.to_sample(v) for v in channel.contrast)
        # Equal limits make a step: what is above is the last colour.
        rate = 1 / (high - low) if high > low else 1e30
        u["ch_window"][i] = (low, rate, channel.gamma, channel.opacity)
        threshold = fmt.to_sample(channel.iso_threshold)
        # Then a brick whose values all lie below the window adds nothing and can be
        # skipped.
        is_dark_below = not channel.lut[0, :3].any() or not channel.lut[0, 3]
        u["ch_more"][i] = (threshold, float(is_dark_below), 0, 0)
        u["ch_plane"][i] = (planes[i], int(channel.visible), 0, 0)
    chosen = look.selected_label
    word = 0 if chosen is None else fmt.label_word(chosen)
    u["label_options"] = (int(chosen is not None), word, int(look.mode == "iso"), 0)
    table = volume.material.labels
    sizes = (table.n_own, table.n_cycle, fmt.sign_bits, table.has_clear)
    u["label_table"] = sizes


def write_frame(
    volume: BrickVolume,
    bricks: BrickSet,
    camera: CameraState,
    world: AffineTransform,
    look: Appearance,
    options: FrameOptions,
) -> None:
    """Write rays, levels, box and options to the uniforms.

    Parameters
    ----------
    volume : BrickVolume
    bricks : BrickSet
    camera : CameraState
    world : AffineTransform
        Data space to world.
    look : Appearance
        Of the layer.
    options : FrameOptions
        Of this frame.
    """
    u = volume.uniform_buffer.data
    anchor = anchor_of(camera, world, bricks.pyramid, options.plane)
    rays = ray_uniforms(camera, world, anchor)
    for name in RayUniforms.__dataclass_fields__:
        u[f"ray_{name}"][:3] = getattr(rays, name)
    if options.plane is not None:
        places = slice_uniforms(options.plane, camera, world, anchor)
        for name, values in places.items():
            u[name][: len(values)] = values
    _write_levels(u, bricks, anchor)
    _write_world(u, world)
    u["depth"][:3] = (camera.near, camera.far, float(camera.orthographic))
    low, high = bricks.pyramid.outer_bounds
    u["box_low"][:3] = to_xyz(np.array(low) - anchor)
    u["box_high"][:3] = to_xyz(np.array(high) - anchor)
    planes = clip_planes_in_data(clip_planes_of(look), world, anchor)[:MAX_CLIP_PLANES]
    u["clip"][: len(planes)] = planes
    kind = 1.0 if options.audit else 2.0 if look.show_levels else 0.0
    step = look.relative_step * options.step_factor
    u["options"] = (step, look.attenuation, kind, 0.0 if options.skip else 1.0)
    u["counts"] = (
        len(look.channels),
        bricks.pyramid.n_levels - 1,
        len(planes),
        len(bricks.table.rows) - 1,
    )
    coarsest = bricks.pyramid.n_levels - 1
    u["detail"][0] = 0 if options.audit else min(options.finest_level, coarsest)
    u["background"] = (
        *(options.background or (0, 0, 0)),
        options.background is not None,
    )
    _write_light(u, bricks, camera, world, look)
    # A slice has no depth of its own that could hide another slice.
    compares = look.blending in ("opaque", "translucent") and options.plane is None
    kind = BLENDINGS.index(look.blending)
    u["blend"] = (kind, options.is_lowest, compares, options.has_objects)
    volume.uniform_buffer.update_full()


def _write_levels(u: Any, bricks: BrickSet, anchor: NDArray[np.float64]) -> None:
    pyramid, layouts = bricks.pyramid, bricks.atlas.layouts
    for name, array in level_uniforms(pyramid, layouts, anchor).items():
        u[name][: pyramid.n_levels, :3] = array
    u["lv_grid"][: pyramid.n_levels, 3] = bricks.atlas.places
    for level in range(pyramid.n_levels):
        texture = bricks.atlas.texture(level)
        if texture is not None:
            # Divided once here instead of once per sample.
            u["lv_inverse"][level, :3] = 1 / np.array(texture.size)


def _write_light(
    u: Any,
    bricks: BrickSet,
    camera: CameraState,
    world: AffineTransform,
    look: Appearance,
) -> None:
    towards = np.array(RAKING) @ np.array(camera.axes)
    u["light"] = (*to_xyz(towards), look.lighting.light == "raking")
    if look.lighting.depth_colour:
        low, high = depth_range(camera, world, bricks.pyramid, look)
        u["depth_range"][:2] = (low, 1 / max(high - low, 1e-30))


def depth_range(
    camera: CameraState, world: AffineTransform, pyramid: Pyramid, look: Appearance
) -> tuple[float, float]:
    """Return the least and the greatest view depth of what is drawn of a volume.

    Parameters
    ----------
    camera : CameraState
    world : AffineTransform
        Data space to world.
    pyramid : Pyramid
    look : Appearance
        Gives the clip box.

    Returns
    -------
    tuple of float
        World units along the line of sight.
    """
    boxes = [world.apply(_corners(*pyramid.outer_bounds))]
    if look.clip_box is not None:
        boxes.append(_corners(*look.clip_box))
    depths = [(box - camera.position) @ camera.forward for box in boxes]
    low = max([camera.near, *(d.min() for d in depths)])
    return low, max(low, min(d.max() for d in depths))


def _corners(low: Any, high: Any) -> NDArray[np.float64]:
    ends = np.array([low, high], dtype=np.float64)
    picks = np.indices((2, 2, 2)).reshape(3, -1).T
    return np.stack([ends[picks[:, a], a] for a in range(3)], axis=1)


def _write_world(u: Any, world: AffineTransform) -> None:
    linear = matrix_to_xyz(world.matrix)[:3, :3]
    # Normals go with the inverse transpose, or they would tilt under shear and
    # anisotropic voxels.
    normals = np.linalg.inv(linear).T
    for i, axis in enumerate("xyz"):
        u[f"world_{axis}"][:3] = linear[:, i]
        u[f"normal_{axis}"][:3] = normals[:, i]
    # Opacity is counted in lengths of the shortest voxel edge.
    u["depth"][3] = 1 / float(np.linalg.norm(linear, axis=0).min())


class SceneCamera(gfx.Camera):
    """Gives pygfx objects (meshes, overlays) the view of the ray caster."""

    def __init__(self) -> None:
        super().__init__()
        self._projection = np.eye(4)

    def follow(self, state: CameraState) -> None:
        """Set position, orientation and projection."""
        matrix = np.eye(4)
        matrix[:3, :3] = to_xyz(state.axes).T
        matrix[:3, 3] = to_xyz(state.position)
        self.world.matrix = matrix
        self._projection = state.projection_matrix
        self.flag_update()

    def _update_projection_matrix(self) -> NDArray[np.float64]:
        return self._projection
