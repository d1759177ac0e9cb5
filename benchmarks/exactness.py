"""E4 to E6: pixels against numpy, a plain ray caster and one plain texture."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.frames import PlainVolume
from benchmarks.peers import CELLIER, ask_cellier
from benchmarks.rows import ROOT, Row, Setting, at_least, at_most
from benchmarks.scenes import (
    Array,
    corners,
    layer_of,
    orbit,
    ortho,
    own_cache,
    view_of,
    write_pyramid,
)
from brickfield.model.appearance import ChannelAppearance, color_lut
from brickfield.planning import LodPolicy
from brickfield.sources import ChunkSource, open_source
from brickfield.store import ChunkedImageStore, open_store
from brickfield.testing.zarr_stores import image_attributes, write_image
from brickfield.viewer.export import render
from brickfield.viewer.sampling import FINE_STEP

SHAPE = (100, 130, 150)
CASTER_SIZE = (256, 256)
LEVEL_0 = LodPolicy(forced_level=0)
Reduce = Callable[[Array], Array]
MODES: dict[str, Reduce] = {
    "mip": lambda a: np.nanmax(a, axis=0),
    "minip": lambda a: np.nanmin(a, axis=0),
    "average": lambda a: np.nanmean(a, axis=0),
}


def cases() -> dict[str, tuple[Array, tuple[float, float]]]:
    """Return data and contrast by name."""
    rng = np.random.default_rng(0)
    u8 = rng.integers(0, 256, SHAPE, np.uint8)
    f4 = rng.normal(0, 3, SHAPE).astype(np.float32)
    holes = f4.copy()
    holes[rng.random(SHAPE) < 0.1] = np.nan
    holes[:, 5, 5] = np.nan
    return {
        "u8": (u8, (0, 255)),
        "u16": ((rng.random(SHAPE) ** 8 * 65535).astype(np.uint16), (0, 65535)),
        "f32": (f4, (-12, 12)),
        "negative": ((-rng.random(SHAPE)).astype(np.float32), (-1, 0)),
        "NaN": (holes, (-12, 12)),
    }


def against_numpy(setting: Setting) -> list[Row]:
    """E4."""
    rows = []
    for name, (data, contrast) in cases().items():
        for mode, reduce in MODES.items():
            drawn = picture(data, contrast, mode)
            worst = int(np.abs(drawn - expected(data, contrast, reduce)).max())
            limit = 0 if name == "u8" else 1
            more = _plain_volume(name, mode, data, contrast)
            what = f"{mode} of {name}: worst pixel against numpy"
            rows.append(at_most("E4", what, worst, limit, unit="/255", **more))
    return [*rows, *_oblique(), *_coarse_levels(setting), *_points(setting)]


def _oblique() -> list[Row]:
    """Draw from askew as at rest, beside a numpy ray caster and single bright voxels."""
    rows = []
    smooth = blobs(64)
    noise = np.random.default_rng(1).integers(0, 256, (40, 50, 60), np.uint8)
    for name, data in (("blobs", smooth), ("noise", noise)):
        worst = []
        for mode in MODES:
            drawn, wanted = _beside_caster(data, ChannelAppearance((0, 255)), mode)
            worst.append(float(np.abs(drawn - np.rint(wanted)).max()))
        what = f"mip, minip, average of u8 {name}, oblique: worst pixel against numpy"
        note = f"worst of each {worst}"
        rows.append(at_most("E4", what, max(worst), 2, unit="/255", note=note))
    what = "mip, oblique: share of bright single voxels that are lost"
    note = "none of the pixels round its place is a quarter as bright"
    return [*rows, at_most("E4", what, _lost_askew(), 0, note=note)]


def _lost_askew() -> float:
    """Return the share of single bright voxels that cannot be seen from askew."""
    data = np.zeros((128,) * 3, np.uint8)
    # Apart from each other, so that none is taken for another.
    grid = np.stack(np.meshgrid(*[np.arange(8, 120, 16)] * 3), -1).reshape(-1, 3)
    spots = grid + np.random.default_rng(0).integers(-4, 5, grid.shape)
    data[tuple(spots.T)] = 255
    # About a pixel a voxel in the middle.
    camera = orbit(data.shape, (192, 192), distance=1.4)
    layer = layer_of(own_cache(open_source(data)), (0, 255), relative_step=FINE_STEP)
    with view_of(layer, camera.viewport, policy=LEVEL_0) as view:
        view.camera = camera
        assert view.wait_until_complete(60)
        drawn = view.image()[..., 0]
        clip = view.camera.with_depth_range(corners(data.shape)).world_to_clip
    at = np.hstack([spots, np.ones((len(spots), 1))]) @ clip.T
    x = ((at[:, 0] / at[:, 3] + 1) / 2 * 192).astype(int)
    y = ((1 - at[:, 1] / at[:, 3]) / 2 * 192).astype(int)
    is_lost = [
        drawn[j - 1 : j + 2, i - 1 : i + 2].max() < 64
        for i, j in zip(x, y, strict=True)
        if 0 < i < 191 and 0 < j < 191
    ]
    return float(np.mean(is_lost))


def _coarse_levels(setting: Setting) -> list[Row]:
    """Draw every level of an odd volume along every axis, one pixel a voxel of it.

    The last voxels of these levels end beyond level 0.
    """
    levels = [np.random.default_rng(0).integers(0, 256, (69, 77, 91), np.uint8)]
    while len(levels) < 5:
        shape = [(n + 1) // 2 for n in levels[-1].shape]
        rng = np.random.default_rng(len(levels))
        levels.append(rng.integers(0, 256, shape, np.uint8))
    scales = [(2.0**k,) * 3 for k in range(len(levels))]
    shifts = [((2.0**k - 1) / 2,) * 3 for k in range(len(levels))]
    attributes = image_attributes(scales=scales, translations=shifts)
    path = write_image(setting.folder / "odd.zarr", levels, attributes)
    rows = []
    with open_store(path) as store:
        for mode, reduce in MODES.items():
            worst = max(
                _worst_of_level(store, level, k, axis, (mode, reduce))
                for k, level in enumerate(levels)
                for axis in range(3)
            )
            what = f"{mode} of every level of u8, from three sides: worst pixel"
            rows.append(at_most("E4", what, worst, 0, unit="/255"))
    return rows


def _worst_of_level(
    store: ChunkedImageStore,
    level: Array,
    number: int,
    axis: int,
    mode: tuple[str, Reduce],
) -> int:
    name, reduce = mode
    seen = np.moveaxis(level, axis, 0)
    drawn = render(
        store,
        size=(seen.shape[2], seen.shape[1]),
        camera=f"ortho:{'zyx'[axis]}",
        mode=name,
        level=number,
        contrast=(0, 255),
    )
    found = drawn.image[..., 0].astype(int)
    return int(np.abs(found - expected(seen, (0, 255), reduce)).max())


def picture(data: Array, contrast: tuple[float, float], mode: str) -> Array:
    """Draw along z, one pixel a voxel, level 0; return the red of every pixel."""
    _, h, w = data.shape
    layer = layer_of(own_cache(open_source(data)), contrast, mode=mode)
    with view_of(layer, (w, h), policy=LEVEL_0) as view:
        view.camera = ortho(data.shape, (w, h))
        assert view.wait_until_complete(60)
        return view.image()[..., 0].astype(int)


def expected(data: Array, contrast: tuple[float, float], reduce: Reduce) -> Array:
    """Compute the same picture with numpy, in float64."""
    low, high = contrast
    with warnings.catch_warnings():
        # Rays that meet NaN alone: numpy warns and gives NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        value = reduce(data.astype(np.float64))
    value = np.where(np.isnan(value), low, value)
    return np.rint(255 * np.clip((value - low) / (high - low), 0, 1)).astype(int)


def _plain_volume(
    name: str, mode: str, data: Array, contrast: tuple[float, float]
) -> dict[str, object]:
    """Draw the same with pygfx, where it can."""
    if mode == "average" or name == "NaN":
        return {}
    size = (data.shape[2], data.shape[1])
    plain = PlainVolume(data, contrast, size, mode=mode)
    drawn = plain.draw(ortho(data.shape, size).with_depth_range(corners(data.shape)))
    worst = np.abs(drawn[..., 0].astype(int) - expected(data, contrast, MODES[mode]))
    return {"peer": "gfx.Volume", "theirs": float(worst.max())}


def _points(setting: Setting) -> list[Row]:
    """Count the bright single voxels that a maximum projection loses."""
    data = np.zeros((128, 128, 128), np.uint8)
    data[tuple(np.random.default_rng(0).integers(4, 124, (3000, 3)).T)] = 255
    bright = data.max(axis=0) > 0
    ours = float((picture(data, (0, 255), "mip")[bright] < 128).mean())
    path = write_pyramid(setting.folder / "points.zarr", [data], 64)
    camera = ortho(data.shape, (128, 128)).with_depth_range(corners(data.shape))
    image = setting.folder / "points.npy"
    answer = ask_cellier(
        setting.peers,
        "cellier_frames",
        {
            "path": str(path),
            "image": str(image),
            "size": [128, 128],
            "contrast": [0, 255],
            "fov": 0,
            "height": camera.height,
            "depth": [1, 1000],
            "position": list(reversed(camera.position)),
            "target": list(reversed(camera.target)),
            "up": [0, -1, 0],
            "repeats": 1,
        },
    )
    more: dict[str, object] = {}
    if answer is not None:
        lost = float((np.load(image)[..., 0][bright] < 128).mean())
        more = {"peer": CELLIER, "theirs": lost}
    what = "mip: share of bright single-voxel pixels that are lost"
    return [at_most("E4", what, ours, 0, **more)]


def against_ray_caster(setting: Setting) -> list[Row]:
    """E5: ray casting in numpy, float64, written apart from the shader."""
    rows = []
    for name, dtype in (("u8", np.uint8), ("f32", np.float32)):
        for mode in ("iso", "translucent", "attenuated_mip", "additive"):
            # Thin enough for the sum along a ray not to saturate.
            lut = color_lut((40, 40, 40) if mode == "additive" else (255, 255, 255))
            channel = ChannelAppearance(contrast=(0, 255), iso_threshold=110.0, lut=lut)
            mean, alike = _against_caster(dtype, mode, channel)
            rows += _caster_rows(f"{mode} of {name}", mean, alike)
        channel = ChannelAppearance(contrast=(0, 4000))
        mean, alike = _against_caster(dtype, "additive", channel)
        rows += _caster_rows(f"additive of {name}, wide contrast", mean, alike)
    return rows


def _caster_rows(what: str, mean: float, alike: float) -> list[Row]:
    what = f"{what} against a numpy ray caster, {CASTER_SIZE[0]}²"
    return [
        at_most("E5", f"{what}: mean error", mean, 1, unit="/255"),
        at_least("E5", f"{what}: SSIM", alike, 0.995),
    ]


def _against_caster(
    dtype: type, mode: str, channel: ChannelAppearance
) -> tuple[float, float]:
    """Return the mean error of a picture and its similarity."""
    from skimage.metrics import structural_similarity

    data = blobs(64).astype(dtype)
    drawn, wanted = _beside_caster(data, channel, mode, step=1.0)
    alike = structural_similarity(drawn, wanted, data_range=255, channel_axis=2)
    return float(np.abs(drawn - wanted).mean()), float(alike)


def _beside_caster(
    data: Array, channel: ChannelAppearance, mode: str, *, step: float = FINE_STEP
) -> tuple[Array, Array]:
    """Draw from askew, and with numpy; two pictures, shape (h, w, 3), float64."""
    sys.path.insert(0, str(ROOT / "tests" / "gpu"))
    import raycaster

    size = CASTER_SIZE
    layer = layer_of(own_cache(cut(open_source(data), 32)), mode=mode)
    layer.appearance = replace(
        layer.appearance, channels=(channel,), relative_step=step
    )
    with view_of(layer, size, policy=LEVEL_0) as view:
        view.camera = orbit(data.shape, size, distance=1.4)
        assert view.wait_until_complete(60)
        drawn = view.image()[..., :3].astype(float)
        camera = view.camera.with_depth_range(corners(data.shape))
    wanted = raycaster.cast([data.astype(float)], camera, layer.appearance, layer.world)
    return drawn, wanted


def blobs(edge: int) -> Array:
    """Return smooth blobs and filaments one voxel thin, uint8."""
    rng = np.random.default_rng(3)
    axis = np.arange(edge, dtype=np.float32)
    z, y, x = np.ix_(axis, axis, axis)
    data = np.zeros((edge,) * 3, np.float32)
    for centre in rng.uniform(0.15, 0.85, (30, 3)) * edge:
        distance = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        data = np.maximum(data, 230 * np.exp(-distance / 90))
    for _ in range(6):
        i, j = rng.integers(10, edge - 10, 2)
        data[i, j, :] = 255
    return data.astype(np.uint8)


def against_one_texture(setting: Setting) -> list[Row]:
    """E6."""
    from skimage.metrics import structural_similarity

    data = blobs(160)
    rows = []
    modes = ("mip", "translucent", "iso", "average")
    similar, worst, seams, skips = [], [], [], []
    for mode in modes:
        one = _draw(whole(open_source(data)), mode)
        # Of the same bricks: rounding depends on where they lie in their texture.
        bricked, plain = _draw_each(cut(open_source(data), 32), mode, (True, False))
        a, b = one[..., :3].astype(int), bricked[..., :3].astype(int)
        similar.append(
            structural_similarity(
                one[..., :3], bricked[..., :3], data_range=255, channel_axis=2
            )
        )
        worst.append(int(np.abs(a - b).max()))
        seams.append(_seam(data, mode))
        skips.append(int(np.abs(bricked.astype(int) - plain.astype(int)).max()))
    named = ", ".join(modes)
    rows.append(
        at_least(
            "E6",
            "bricks of 32³ against one texture: SSIM, worst of 4 modes",
            min(similar),
            0.9999,
            note=f"{named}; worst pixel {', '.join(map(str, worst))} of 255",
        )
    )
    rows.append(
        at_most(
            "E6",
            "worst pixel at brick edges against one texture, ortho, worst of 4 modes",
            max(seams),
            1,
            unit="/255",
        )
    )
    rows.append(
        at_most(
            "E6",
            "skipping on against off: worst pixel of 4 modes",
            max(skips),
            0,
            unit="/255",
        )
    )
    return rows


def whole(source: ChunkSource) -> ChunkSource:
    """Plan the whole level as one chunk."""
    return _planned(source, source.info.pyramid.levels[0].shape_zyx)


def cut(source: ChunkSource, edge: int) -> ChunkSource:
    """Plan chunks of one edge."""
    return _planned(source, (edge, edge, edge))


def _planned(source: ChunkSource, shape: tuple[int, int, int]) -> ChunkSource:
    pyramid = source.info.pyramid.with_chunk_shapes((shape,))
    source.info = replace(source.info, pyramid=pyramid)
    return source


def _draw(source: ChunkSource, mode: str, *, straight: bool = False) -> Array:
    return _draw_each(source, mode, straight=straight)[0]


def _draw_each(
    source: ChunkSource,
    mode: str,
    skips: tuple[bool, ...] = (True,),
    *,
    straight: bool = False,
) -> list[Array]:
    """Draw with and without skipping, of the same bricks."""
    size = (320, 320)
    layer = layer_of(own_cache(source), (0, 255), mode=mode)
    shape = source.info.pyramid.levels[0].shape_zyx
    images = []
    with view_of(layer, size, policy=LEVEL_0) as view:
        view.camera = (
            ortho(shape, size, zoom=2) if straight else orbit(shape, size, distance=1.3)
        )
        for skip in skips:
            view.options = replace(view.options, skip=skip)
            assert view.wait_until_complete(60)
            images.append(view.image())
    return images


def _seam(data: Array, mode: str) -> int:
    """Compare the columns within a voxel of a brick's edge, two pixels a voxel."""
    one = _draw(whole(open_source(data)), mode, straight=True)[..., :3].astype(int)
    two = _draw(cut(open_source(data), 32), mode, straight=True)[..., :3].astype(int)
    difference = np.abs(one - two).max(axis=(0, 2))
    near = np.abs((np.arange(320) + 32) % 64 - 32) <= 2
    return int(difference[near].max())
