"""Draws arrays with the real bricks, table, program and uniforms.

A :class:`Stage` is one layer in one canvas without planning and loading: every
chunk that a test names is cut out of an array and accepted at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
import pygfx as gfx
from rendercanvas.offscreen import OffscreenRenderCanvas

import brickfield.gpu.shader  # noqa: F401  (registers the program with pygfx)
from brickfield.gpu.brick_set import BrickSet
from brickfield.gpu.device import get_device
from brickfield.gpu.formats import choose_format, label_table
from brickfield.gpu.material import BrickMaterial, BrickVolume
from brickfield.model import (
    AffineTransform,
    Axis,
    CameraState,
    Pyramid,
    ScaleLevel,
    pack_keys,
    unpack_keys,
)
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.model.requests import ChunkState, LoadedChunk
from brickfield.rendering import FrameOptions
from brickfield.rendering.frame_uniforms import write_frame, write_look

AXES = (Axis("z"), Axis("y"), Axis("x"))


def pyramid_of(
    shapes,
    dtype=np.uint8,
    chunk=(32, 32, 32),
    voxel_sizes=None,
    translations=None,
) -> Pyramid:
    """A pyramid of plain (z, y, x) arrays; one chunk shape or one for each level."""
    chunks = [chunk] * len(shapes) if isinstance(chunk[0], int) else chunk
    voxel_sizes = voxel_sizes or [
        tuple(a / b for a, b in zip(shapes[0], s, strict=True)) for s in shapes
    ]
    translations = translations or [
        tuple((v - v0) / 2 for v, v0 in zip(size, voxel_sizes[0], strict=True))
        for size in voxel_sizes
    ]
    levels = tuple(
        ScaleLevel(
            str(i),
            tuple(s),
            np.dtype(dtype),
            tuple(c),
            tuple(map(float, v)),
            tuple(map(float, t)),
            (0, 1, 2),
            tuple(c),
        )
        for i, (s, c, v, t) in enumerate(
            zip(shapes, chunks, voxel_sizes, translations, strict=True)
        )
    )
    return Pyramid(AXES, levels)


def all_names(pyramid: Pyramid, level: int = 0, plane: int = 0):
    """The names of all chunks of one level."""
    grid = np.indices(pyramid.levels[level].grid_zyx).reshape(3, -1).T
    return [(plane, int(k)) for k in pack_keys(level, grid)]


def cut(pyramid: Pyramid, arrays, name) -> LoadedChunk:
    """Cut one chunk out of its level's array."""
    key = name[1]
    level, index = unpack_keys(np.int64(key))
    edge = pyramid.levels[int(level)].chunk_shape
    box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, edge, strict=True))
    data = np.ascontiguousarray(arrays[int(level)][box])
    return LoadedChunk(key, (), ChunkState.LOADED, data)


@dataclass
class Stage:
    """One layer, drawn with every chunk that was put on it."""

    pyramid: Pyramid
    planes: Sequence[Sequence[np.ndarray]]
    look: Appearance
    world: AffineTransform = field(default_factory=AffineTransform)
    budget: int = 1 << 28

    def __post_init__(self):
        look = self.look
        self.gpu = get_device()
        colors = look.label_colors
        self.format = choose_format(
            self.pyramid.dtype,
            is_labels=look.is_labels,
            label_cycle=0 if colors is None else len(colors) - 1,
        )
        material = BrickMaterial(look.mode, look.interpolation, len(look.channels))
        material.set_format(self.format)
        if look.is_labels:
            material.set_labels(label_table(look, self.format))
        self.volume = BrickVolume(material)
        self.bricks = BrickSet(
            self.pyramid,
            self.format,
            self.budget,
            self.gpu,
            material,
            peek=self.chunk,
        )
        self._canvas = None

    def chunk(self, name) -> LoadedChunk:
        return cut(self.pyramid, self.planes[name[0]], name)

    def put(self, names: Iterable = (), *, is_target=True):
        """Want and accept chunks; by default every chunk of level 0."""
        names = list(names) or [
            n for p in range(len(self.planes)) for n in all_names(self.pyramid, 0, p)
        ]
        self.bricks.want(dict.fromkeys(names, is_target))
        for name in sorted(self.bricks.missing):
            self.bricks.accept(name, self.chunk(name))
        self.bricks.repair_borders(lambda: True)
        self.bricks.retire()
        return self

    def prepare(self, camera: CameraState, look=None, **options):
        """Bring everything up to date for one frame."""
        look = look or self.look
        camera = with_range(camera, self.pyramid, self.world)
        material = self.bricks.material
        extra = look.lighting.program_of(look.mode, is_labels=look.is_labels)
        material.set_program(look.mode, look.interpolation, len(look.channels), extra)
        lut = np.ascontiguousarray(np.stack([c.lut for c in look.channels]))
        if not np.array_equal(getattr(self, "_lut", ()), lut):
            self._lut = lut
            material.lut = gfx.Texture(lut, dim=2)
            material.rebind()
        options = FrameOptions(**{"background": (0.0, 0.0, 0.0), **options})
        self.bricks.flush()
        write_look(self.volume, look, self.format, list(range(len(self.planes))))
        write_frame(self.volume, self.bricks, camera, self.world, look, options)

    def image(self, camera: CameraState, look=None, **options) -> np.ndarray:
        """Draw one frame, shape (h, w, 4), uint8."""
        self.prepare(camera, look, **options)
        return self.drawer(camera.viewport)()

    def drawer(self, size) -> Callable[[], np.ndarray]:
        """Return the function that draws the prepared frame."""
        if self._canvas is None or self._canvas.get_physical_size() != size:
            self._canvas = OffscreenRenderCanvas(size=size, pixel_ratio=1)
            self.renderer = gfx.renderers.WgpuRenderer(
                self._canvas, pixel_scale=1, ppaa="none"
            )
            scene, camera = gfx.Scene(), gfx.NDCCamera()
            scene.add(self.volume)
            self._errors = errors = []

            def draw():
                # rendercanvas logs and swallows what a draw function raises.
                try:
                    self.renderer.render(scene, camera)
                except BaseException as error:
                    errors.append(error)
                    raise

            self._canvas.request_draw(draw)

        def shoot():
            self._errors.clear()
            image = np.array(self._canvas.draw(), np.uint8)
            if self._errors:
                raise self._errors[0]
            return image

        return shoot

    def pick(self, x: int, y: int) -> dict:
        """What the last frame says of one pixel."""
        return self.renderer.get_pick_info((x, y))

    def close(self):
        self.bricks.destroy()
        if self._canvas is not None:
            self._canvas.close()


def stage_of(data, look=None, *, chunk=(32, 32, 32), world=None) -> Stage:
    """A stage with one array, one level and one channel, all chunks drawn."""
    data = np.asarray(data)
    pyramid = pyramid_of([data.shape], data.dtype, chunk)
    look = look or look_of(contrast=(0, 255))
    return Stage(pyramid, [[data]], look, world or AffineTransform()).put()


def look_of(mode="mip", *, contrast=(0.0, 1.0), threshold=0.5, **options) -> Appearance:
    """An appearance of one channel."""
    own = {k: options.pop(k) for k in ("gamma", "opacity", "lut") if k in options}
    channel = ChannelAppearance(contrast=contrast, iso_threshold=threshold, **own)
    return Appearance(mode=mode, channels=(channel,), **options)


def with_range(camera: CameraState, pyramid, world) -> CameraState:
    """The camera with near and far round the volume."""
    low, high = pyramid.outer_bounds
    corners = list(product(*zip(low, high, strict=True)))
    return camera.with_depth_range(world.apply(np.array(corners)))


def along_axis(shape, axis: int = 0) -> CameraState:
    """Orthographic, one pixel a voxel, rows and columns in array order."""
    row, column = [a for a in range(3) if a != axis]
    target = (np.array(shape) - 1) / 2
    up, right = -np.eye(3)[row], np.eye(3)[column]
    size = (shape[column], shape[row])
    for sign in (1, -1):
        position = target - sign * (shape[axis] + 10.0) * np.eye(3)[axis]
        camera = CameraState(
            tuple(position), tuple(target), tuple(up), size, True, height=size[1]
        )
        if camera.axes[0] @ right > 0:
            return camera
    raise AssertionError


def oblique(shape, size=(128, 128), *, orthographic=False, turn=0.0) -> CameraState:
    """A camera that sees the whole volume from somewhere askew."""
    target = (np.array(shape) - 1) / 2
    extent = float(np.linalg.norm(shape))
    away = np.array([-1.0, -0.45, 0.33])
    c, s = np.cos(turn), np.sin(turn)
    away = np.array([c * away[0] - s * away[2], away[1], s * away[0] + c * away[2]])
    position = target + away / np.linalg.norm(away) * extent * 1.5
    return CameraState(
        tuple(position),
        tuple(target),
        (0.1, -1.0, 0.05),
        size,
        orthographic,
        fov=35.0,
        height=extent * 0.9,
    )


def replace_channel(look: Appearance, **changes) -> Appearance:
    """The appearance with its first channel changed."""
    first = replace(look.channels[0], **changes)
    return replace(look, channels=(first, *look.channels[1:]))


def ssim(a, b) -> float:
    """Structural similarity of two pictures of 8 bits."""
    from skimage.metrics import structural_similarity

    a, b = np.asarray(a, float), np.asarray(b, float)
    options = {"channel_axis": 2} if a.ndim == 3 else {}
    return float(structural_similarity(a, b, data_range=255, **options))


def blobs(shape=(48, 56, 64), *, seed=0, n=14, noise=0.02) -> np.ndarray:
    """Soft balls and a little noise, 0 to 1, float64."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape, dtype=np.float64)
    data = np.zeros(shape)
    for _ in range(n):
        centre = rng.uniform(0.1, 0.9, 3) * shape
        radius = rng.uniform(0.05, 0.16) * min(shape)
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        data = np.maximum(data, rng.uniform(0.4, 1) * np.exp(-distance / radius**2))
    return np.clip(data + noise * rng.random(shape), 0, 1)
