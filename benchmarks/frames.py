"""E18: what a frame costs against a plain texture and against cellier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pygfx as gfx
from rendercanvas.offscreen import OffscreenRenderCanvas

from benchmarks.clock import cpu_ms, median
from benchmarks.peers import CELLIER, ask_cellier
from benchmarks.rows import Row, Setting, at_most
from benchmarks.scenes import (
    Array,
    corners,
    layer_of,
    orbit,
    own_cache,
    view_of,
    write_pyramid,
)
from brickfield.model import CameraState
from brickfield.planning import LodPolicy
from brickfield.sources import open_source
from brickfield.viewer.sampling import FINE_STEP

SIZE = (512, 512)
STEP = 0.8
"""What gfx.Volume takes for a volume of 256³."""
EDGE = 256
DIRECTIONS = {
    "along an axis": (0.0, 0.0, 1.0),
    "the camera above": (0.479, 0.3, 0.878),
    "diagonal": (1.0, 1.0, 1.0),
}


class PlainVolume:
    """pygfx's own volume, the whole of it in one texture."""

    def __init__(
        self,
        data: Array,
        contrast: tuple[float, float],
        size: tuple[int, int],
        *,
        mode: str = "mip",
    ) -> None:
        kind = {"mip": gfx.VolumeMipMaterial, "minip": gfx.VolumeMinipMaterial}[mode]
        options = {"format": "r16unorm"} if data.dtype == np.uint16 else {}
        texture = gfx.Texture(np.ascontiguousarray(data), dim=3, **options)
        self._canvas = OffscreenRenderCanvas(size=size, pixel_ratio=1)
        self._renderer = gfx.renderers.WgpuRenderer(
            self._canvas, pixel_scale=1, ppaa="none"
        )
        self._scene = gfx.Scene()
        self._scene.add(gfx.Background.from_color("#000"))
        self._scene.add(
            gfx.Volume(
                gfx.Geometry(grid=texture), kind(clim=contrast, interpolation="linear")
            )
        )
        self._camera: Any = None
        self._canvas.request_draw(
            lambda: self._renderer.render(self._scene, self._camera)
        )

    def draw(self, camera: CameraState) -> Array:
        """Draw one frame, shape (h, w, 4)."""
        self._camera = plain_camera(camera)
        return np.asarray(self._canvas.draw())


def plain_camera(camera: CameraState) -> Any:
    """Make pygfx's camera of ours."""
    w, h = camera.viewport
    depth = (camera.near, camera.far)
    if camera.orthographic:
        made = gfx.OrthographicCamera(camera.height * w / h, camera.height)
        made.depth_range = depth
    else:
        made = gfx.PerspectiveCamera(camera.fov, w / h, depth_range=depth)
    made.local.position = camera.position[::-1]
    made.local.reference_up = made.world.reference_up = camera.up[::-1]
    made.look_at(camera.target[::-1])
    return made


def frame_cost(setting: Setting) -> list[Row]:
    """E18."""
    rows = []
    repeats = 15 if setting.is_full else 7
    for name, limit, data in (("dense", 1.25, dense()), ("sparse", 0.6, sparse())):
        ours, plain, drawn, reference = _both(data, repeats)
        difference = np.abs(drawn[..., 0].astype(int) - reference[..., 0].astype(int))
        note = (
            f"256³ uint8, mip, 512², steps of {STEP}; mean difference of the pictures"
            f" {difference.mean():.3f} of 255; software Vulkan, no GPU here"
        )
        if name == "sparse":
            note += f"; {occupied(data):.0%} of bricks occupied"
        row = at_most(
            "E18",
            f"frame, {name} data: CPU ÷ gfx.Volume",
            median(ours) / median(plain),
            limit,
            repeats=repeats,
            note=f"{note}; {median(ours):.0f} ms against {median(plain):.0f} ms",
        )
        rows.append(row)
        rows += _beside_cellier(setting, name, data, median(ours), repeats)
    return rows + _by_direction(repeats) + _at_rest(repeats)


def _by_direction(repeats: int) -> list[Row]:
    """Compare at steps that are equally long on average, along and across the axes."""
    rows = []
    for name, direction in DIRECTIONS.items():
        camera = _camera(direction)
        # Ours counts along the axis that a ray follows most.
        step = STEP * _along(camera)
        ours, plain, _, _ = _both(dense(), repeats, camera, step)
        rows.append(
            at_most(
                "E18",
                f"frame, steps of equal length, {name}: CPU ÷ gfx.Volume",
                median(ours) / median(plain),
                1.0,
                repeats=repeats,
                note=f"steps of {step:.2f} voxels along the axis that a ray follows"
                f" most are {STEP} long on average, so that both take as many samples;"
                f" {median(ours):.0f} ms against {median(plain):.0f} ms",
            )
        )
    return rows


def _along(camera: CameraState) -> float:
    """Return what all rays of a picture go along their main axes, of their length."""
    w, h = camera.viewport
    x = ((np.arange(w) + 0.5) / w * 2 - 1) * w / h
    y = 1 - (np.arange(h) + 0.5) / h * 2
    size = 1 / np.tan(np.radians(camera.fov) / 2)
    ways = np.stack([*np.meshgrid(x, y), np.full((h, w), -size)], -1).reshape(-1, 3)
    ways = ways @ np.array(camera.axes)
    eye = np.array(camera.position)
    with np.errstate(divide="ignore"):
        ends = np.sort([(-0.5 - eye) / ways, (EDGE - 0.5 - eye) / ways], axis=0)
    inside = np.clip(ends[1].min(axis=1) - ends[0].max(axis=1), 0, None)
    length = inside * np.linalg.norm(ways, axis=1)
    return float((inside * np.abs(ways).max(axis=1)).sum() / length.sum())


def _at_rest(repeats: int) -> list[Row]:
    """Compare a picture at rest, which is sampled more finely than gfx.Volume's."""
    camera = _camera()
    ours, plain, _, _ = _both(dense(), repeats, camera, FINE_STEP)
    return [
        at_most(
            "E18",
            "frame, as at rest: CPU ÷ gfx.Volume",
            median(ours) / median(plain),
            1.5,
            repeats=repeats,
            note=f"steps of {FINE_STEP:.2f} voxels against {STEP};"
            f" {median(ours):.0f} ms against {median(plain):.0f} ms",
        )
    ]


def dense() -> Array:
    """Return blobs everywhere over a noisy ground."""
    from benchmarks.scenes import light_sheet

    data = light_sheet(EDGE).astype(np.float32)
    return np.clip(data / 13, 0, 255).astype(np.uint8)


def sparse() -> Array:
    """Return blobs that leave 93 % of all 64³ bricks empty."""
    data = np.zeros((EDGE,) * 3, np.uint8)
    axis = np.arange(64) - 31.5
    z, y, x = np.ix_(axis, axis, axis)
    blob = (255 * np.exp(-(z**2 + y**2 + x**2) / 200)).astype(np.uint8)
    for k, j, i in ((0, 1, 2), (2, 1, 0), (3, 3, 3), (1, 2, 1)):
        data[64 * k : 64 * k + 64, 64 * j : 64 * j + 64, 64 * i : 64 * i + 64] = blob
    return data


def occupied(data: Array) -> float:
    """Return the share of 64³ bricks with a voxel above 0."""
    bricks = data.reshape(4, 64, 4, 64, 4, 64).max(axis=(1, 3, 5))
    return float((bricks > 0).mean())


def _camera(direction: tuple[float, float, float] | None = None) -> CameraState:
    """Return the camera of the other rows, or one that looks along (z, y, x)."""
    camera = orbit((EDGE,) * 3, SIZE, distance=1.25)
    if direction is not None:
        middle, way = np.full(3, EDGE / 2), np.array(direction)
        z, y, x = (middle - 1.25 * EDGE * way / np.linalg.norm(way)).tolist()
        camera = replace(camera, position=(z, y, x), target=(EDGE / 2,) * 3)
    return camera.with_depth_range(corners((EDGE,) * 3))


def _both(
    data: Array, repeats: int, camera: CameraState | None = None, step: float = STEP
) -> tuple[list[float], list[float], Array, Array]:
    """Draw the same frame in turns, so that other work hits both alike."""
    camera = camera or _camera()
    layer = layer_of(own_cache(open_source(data)), (0, 255), relative_step=step)
    plain = PlainVolume(data, (0, 255), SIZE)
    ours: list[float] = []
    theirs: list[float] = []
    with view_of(layer, SIZE, policy=LodPolicy(forced_level=0)) as view:
        view.camera = camera
        assert view.wait_until_complete(60)
        for _ in range(2):
            drawn, reference = view.image(), plain.draw(camera)
        for _ in range(repeats):
            ours += cpu_ms(view.image, 1)
            theirs += cpu_ms(lambda: plain.draw(camera), 1)
    return ours, theirs, drawn, reference


def _beside_cellier(
    setting: Setting, name: str, data: Array, ours: float, repeats: int
) -> list[Row]:
    camera = _camera()
    path = write_pyramid(setting.folder / f"{name}.zarr", [data], 64)
    answer = ask_cellier(
        setting.peers,
        "cellier_frames",
        {
            "path": str(path),
            "image": str(setting.folder / "cellier.npy"),
            "size": list(SIZE),
            "contrast": [0, 255],
            "fov": camera.fov,
            "depth": [1, 2000],
            "position": list(camera.position[::-1]),
            "target": list(camera.target[::-1]),
            "up": list(camera.up[::-1]),
            "repeats": repeats,
        },
    )
    if answer is None:
        return []
    theirs = answer["cpu_ms"]
    return [
        Row(
            "E18",
            f"frame, {name} data: CPU beside cellier",
            ours,
            unit="ms",
            limit="faster",
            reached=ours < theirs,
            peer=CELLIER,
            theirs=theirs,
            repeats=repeats,
            note="measured one after the other, not in turns; cellier takes 1 sample a"
            " voxel where we take 1.25",
        )
    ]
