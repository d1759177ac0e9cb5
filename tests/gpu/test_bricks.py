"""What bricks must not change: seams, skipping, mixed levels, planes, depth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from brickfield.model import AffineTransform, CameraState
from brickfield.model.appearance import Appearance, ChannelAppearance, color_lut
from brickfield.model.requests import ChunkState, LoadedChunk

pytestmark = pytest.mark.gpu

MODES = ["mip", "minip", "average", "attenuated_mip", "iso", "translucent", "additive"]


def _look(harness, mode, **options):
    lut = color_lut((12, 20, 40) if mode == "additive" else (255, 220, 180))
    contrast = {"average": (5, 60), "minip": (0, 4)}.get(mode, (20, 220))
    return harness.look_of(mode, contrast=contrast, threshold=110, lut=lut, **options)


def _bytes(harness, shape=(48, 56, 64), **options):
    return np.rint(255 * harness.blobs(shape, **options)).astype(np.uint8)


def _sparse(shape=(64, 64, 64)):
    """Zero but for some balls: has whole bricks and octants that are empty."""
    rng = np.random.default_rng(8)
    data, grid = np.zeros(shape), np.indices(shape)
    for _ in range(6):
        centre, radius = rng.uniform(4, 60, 3), rng.uniform(3, 7)
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        data = np.maximum(data, 255 * np.clip(1 - distance / radius**2, 0, 1))
    return data.astype(np.uint8)


def _pyramid_arrays(data, n=3):
    """Block means of factor two."""
    arrays = [data]
    for _ in range(n - 1):
        a = arrays[-1].astype(float)
        z, y, x = (s // 2 for s in a.shape)
        a = a[: 2 * z, : 2 * y, : 2 * x].reshape(z, 2, y, 2, x, 2).mean((1, 3, 5))
        arrays.append(np.rint(a).astype(data.dtype))
    return arrays


@pytest.mark.parametrize("mode", MODES)
def test_bricks_look_like_one_brick_that_holds_everything(mode, harness, stages):
    data = _bytes(harness, (70, 66, 80))
    look, camera = _look(harness, mode), harness.oblique(data.shape, (160, 160))
    whole = stages(data, look, chunk=data.shape).image(camera)
    assert whole[..., :3].max() > 60
    for edge in (32, 64):
        bricks = stages(data, look, chunk=(edge,) * 3).image(camera)
        assert harness.ssim(bricks[..., :3], whole[..., :3]) >= 0.9999
        difference = np.abs(bricks.astype(int) - whole)
        # A seam would be a line of pixels that differ by much.
        assert difference.max() <= 2


@pytest.mark.parametrize("mode", MODES)
def test_skipping_changes_no_pixel(mode, harness, stages):
    look = _look(harness, mode)
    for data in (_sparse(), _bytes(harness)):
        stage = stages(data, look, chunk=(24, 32, 28))
        camera = harness.oblique(data.shape)
        on, off = stage.image(camera), stage.image(camera, skip=False)
        np.testing.assert_array_equal(on, off)


def test_skipping_changes_no_pixel_of_floats(harness, stages):
    data = _sparse().astype(np.float32) / 7 - 3
    data[:, 30:, 40:][data[:, 30:, 40:] > 20] = np.nan
    for mode in ("mip", "iso"):
        look = harness.look_of(mode, contrast=(0, 30), threshold=9.0)
        stage = stages(data, look)
        camera = harness.oblique(data.shape)
        np.testing.assert_array_equal(
            stage.image(camera), stage.image(camera, skip=False)
        )


@pytest.mark.parametrize("mode", ["mip", "translucent"])
def test_where_levels_meet_there_is_no_hole(mode, harness, stages):
    # The same value everywhere: any gap, overlap or misread voxel would show.
    arrays = [np.full(s, 180, np.uint8) for s in ((50, 61, 67), (25, 30, 33), (9,) * 3)]
    pyramid = harness.pyramid_of(
        [a.shape for a in arrays], chunk=[(16, 16, 16), (11, 16, 9), (9, 9, 9)]
    )
    look = _look(harness, mode)
    stage = stages.keep(harness.Stage(pyramid, [arrays], look))
    level0 = harness.all_names(pyramid, 0)[::3]
    level1 = harness.all_names(pyramid, 1)[1::3]
    names = [*level0, *level1, *harness.all_names(pyramid, 2)]
    camera = harness.oblique(arrays[0].shape)
    mixed = stage.put(names).image(camera)
    whole = stages(arrays[0], look, chunk=(16, 16, 16)).image(camera)
    # At the very rim a ray is shorter than a voxel of the coarsest level.
    inside = binary_erosion(whole[..., 0] > 0, iterations=7)
    assert inside.sum() > 2000
    # Coarser levels sample less often, which opacity makes up for.
    difference = np.abs(mixed.astype(int) - whole).max(axis=-1)
    assert difference[inside].max() <= (0 if mode == "mip" else 6)


@pytest.mark.parametrize("mode", ["mip", "minip", "average", "attenuated_mip"])
@pytest.mark.parametrize("edge", [8, 5])
def test_a_coarser_level_reaches_to_the_edge(mode, edge, harness, stages):
    # 71 voxels are 8 of the coarse level and a rest, in bricks that fill their
    # slots (8) or do not (5). The bricks beside the bright ones are dark.
    shapes = [(71, 71, 71), (8, 8, 8)]
    pyramid = harness.pyramid_of(
        shapes, chunk=[(71,) * 3, (edge,) * 3], voxel_sizes=[(1,) * 3, (8,) * 3]
    )
    coarse = np.full(shapes[1], 200, np.uint8)
    look = harness.look_of(mode, contrast=(0, 200), attenuation=0.0)
    planes = [[np.zeros(shapes[0], np.uint8), a] for a in (coarse, 0 * coarse)]
    stage = stages.keep(harness.Stage(pyramid, planes, look))
    bright, dark = (harness.all_names(pyramid, 1, p) for p in (0, 1))
    stage.put([name for pair in zip(bright, dark, strict=True) for name in pair])
    for axis in (0, 1, 2):
        image = stage.image(harness.along_axis(shapes[0], axis), look)
        assert (image[..., 0] == 255).all()


def test_a_finer_level_looks_like_itself_over_coarser_ones(harness, stages):
    data = _bytes(harness)
    arrays = _pyramid_arrays(data)
    pyramid = harness.pyramid_of([a.shape for a in arrays], chunk=(16, 16, 16))
    look = _look(harness, "mip")
    stage = stages.keep(harness.Stage(pyramid, [arrays], look))
    camera = harness.oblique(data.shape)
    names = [n for level in range(3) for n in harness.all_names(pyramid, level)]
    layered = stage.put(names).image(camera)
    alone = stages(data, look, chunk=(16, 16, 16)).image(camera)
    np.testing.assert_array_equal(layered, alone)


def test_an_evicted_chunk_uncovers_the_coarser_one(harness, stages):
    arrays = [np.full((32,) * 3, 200, np.uint8), np.full((16,) * 3, 100, np.uint8)]
    pyramid = harness.pyramid_of([a.shape for a in arrays], chunk=(16, 16, 16))
    stage = stages.keep(
        harness.Stage(pyramid, [arrays], harness.look_of(contrast=(0, 200)))
    )
    level0 = harness.all_names(pyramid, 0)
    stage.put([*level0, *harness.all_names(pyramid, 1)])
    for name in level0[:4]:
        stage.bricks.forget(name)
    image = stage.image(harness.along_axis((32,) * 3, axis=1))[..., 0]
    # Rows of this picture are z: the first half of the bricks is gone.
    assert (image[:15] == 128).all()
    assert (image[17:] == 255).all()


def test_clip_planes_cut_the_volume(harness, stages):
    data = np.full((20, 40, 60), 200, np.uint8)
    world = AffineTransform.from_scale((2.0, 1.0, 0.5), (3.0, 4.0, 5.0))
    # Kept: world y >= 13.5, so voxels from row 10 on.
    look = harness.look_of(contrast=(0, 200), clip_planes=((0.0, 1.0, 0.0, -13.5),))
    camera = harness.along_axis(data.shape)
    stage = stages(data, look)
    stage.world = AffineTransform.from_scale((1.0, 1.0, 1.0), (0.0, 4.0, 0.0))
    moved = (camera.position[0], camera.position[1] + 4, camera.position[2])
    target = (camera.target[0], camera.target[1] + 4, camera.target[2])
    image = stage.image(replace(camera, position=moved, target=target))[..., 0]
    assert (image[:9] == 0).all()
    assert (image[11:] == 255).all()
    box = harness.look_of(contrast=(0, 200), clip_box=((6.0, 10.0, 12.0), (99, 24, 20)))
    stage = stages(data, box, world=world)
    shown = stage.image(harness.oblique((40, 40, 30)), box)[..., 0]
    none = stage.image(harness.oblique((40, 40, 30)), look)[..., 0]
    assert 0 < (shown > 0).sum() < (none > 0).sum() / 2


def test_two_channels_add_their_light(harness, stages):
    red = np.zeros((8, 20, 20), np.uint8)
    green = red.copy()
    red[3, 4, 5], green[5, 4, 5], green[2, 9, 9] = 250, 120, 200
    channels = tuple(
        ChannelAppearance((0, 250), lut=color_lut(c))
        for c in ((255, 0, 0), (0, 255, 0))
    )
    look = Appearance(channels=channels)
    stage = stages.keep(
        harness.Stage(harness.pyramid_of([red.shape]), [[red], [green]], look)
    )
    image = stage.put().image(harness.along_axis(red.shape))
    assert image[4, 5, :3].tolist() == [255, 122, 0]
    assert image[9, 9, :3].tolist() == [0, 204, 0]


def test_sixteen_channels_are_drawn_in_one_pass(harness, stages):
    shape = (4, 16, 16)
    planes, channels = [], []
    for i in range(16):
        data = np.zeros(shape, np.uint8)
        data[1, i, i] = 255
        planes.append([data])
        color = ((i * 37) % 256, (i * 91) % 256, 255 - i)
        channels.append(ChannelAppearance((0, 255), lut=color_lut(color)))
    look = Appearance(channels=tuple(channels))
    stage = stages.keep(harness.Stage(harness.pyramid_of([shape]), planes, look))
    image = stage.put().image(harness.along_axis(shape))
    for i, channel in enumerate(channels):
        assert image[i, i, :3].tolist() == channel.lut[255, :3].tolist()
    assert np.count_nonzero(image[..., :3].any(axis=-1)) == 16


def test_an_invisible_channel_is_not_drawn(harness, stages):
    data = np.full((4, 8, 8), 255, np.uint8)
    channels = (
        ChannelAppearance((0, 255), lut=color_lut((255, 0, 0)), visible=False),
        ChannelAppearance((0, 255), lut=color_lut((0, 0, 255))),
    )
    stage = stages.keep(
        harness.Stage(
            harness.pyramid_of([data.shape]),
            [[data], [data]],
            Appearance(channels=channels),
        )
    )
    image = stage.put().image(harness.along_axis(data.shape))
    assert (image[..., :3] == [0, 0, 255]).all()


def test_a_missing_chunk_shows_its_fill_value_without_a_slot(harness, stages):
    data = np.full((16, 32, 32), 100, np.uint8)
    pyramid = harness.pyramid_of([data.shape], chunk=(16, 16, 16))
    look = harness.look_of(contrast=(0, 200))
    stage = stages.keep(harness.Stage(pyramid, [[data]], look))
    names = harness.all_names(pyramid)
    stage.put(names[:3])
    slots = len(stage.bricks.atlas.resident())
    missing = LoadedChunk(names[3][1], (), ChunkState.MISSING, None, 200.0, 200.0)
    stage.bricks.want(dict.fromkeys(names, True))
    stage.bricks.accept(names[3], missing)
    image = stage.image(harness.along_axis(data.shape))[..., 0]
    assert len(stage.bricks.atlas.resident()) == slots
    assert (image[17:, 17:] == 255).all()
    assert (image[:15] == 128).all()


def test_a_failed_chunk_shows_the_coarser_level_and_says_so(harness, stages):
    arrays = [np.full((16, 32, 32), 200, np.uint8), np.full((8, 16, 16), 100, np.uint8)]
    pyramid = harness.pyramid_of([a.shape for a in arrays], chunk=(16, 16, 16))
    look = harness.look_of(contrast=(0, 200))
    stage = stages.keep(harness.Stage(pyramid, [arrays], look))
    level0, level1 = harness.all_names(pyramid, 0), harness.all_names(pyramid, 1)
    stage.put([*level0[:3], *level1])
    stage.bricks.want(dict.fromkeys([*level0, *level1], True))
    stage.bricks.accept(level0[3], LoadedChunk(level0[3][1], (), ChunkState.FAILED))
    camera = harness.along_axis((16, 32, 32))
    image = stage.image(camera)[..., 0]
    assert (image[17:, 17:] == 128).all()
    classes = stage.image(camera, audit=True)[..., 0]
    assert (classes[17:, 17:] == 4).all()
    assert (classes[:15, :15] == 1).all()


def test_the_audit_tells_coarser_and_empty_places(harness, stages):
    arrays = [np.full((16, 32, 32), 200, np.uint8), np.full((8, 16, 16), 100, np.uint8)]
    pyramid = harness.pyramid_of(
        [a.shape for a in arrays], chunk=[(16, 16, 16), (8, 8, 16)]
    )
    stage = stages.keep(harness.Stage(pyramid, [arrays], harness.look_of()))
    level0, level1 = harness.all_names(pyramid, 0), harness.all_names(pyramid, 1)
    # Level 0 in one corner, the coarser level below it is no target, the rest bare.
    stage.put([level0[0], level1[0]])
    stage.bricks.want({level0[0]: True, level1[0]: False})
    classes = stage.image(harness.along_axis((16, 32, 32)), audit=True)[..., 0]
    assert (classes[:15, :15] == 1).all()
    assert (classes[:15, 17:] == 2).all()
    assert (classes[17:] == 3).all()


@pytest.mark.parametrize("orthographic", [True, False], ids=["ortho", "perspective"])
def test_depth_and_picking_tell_where_the_surface_is(orthographic, harness, stages):
    data = np.zeros((40, 40, 40), np.uint8)
    # The threshold lies half-way between the voxels 11 and 12.
    data[12:] = 200
    look = harness.look_of("iso", contrast=(0, 200), threshold=100)
    camera = CameraState(
        (-60.0, 19.5, 19.5),
        (19.5, 19.5, 19.5),
        (0, -1, 0),
        (64, 64),
        orthographic,
        fov=40.0,
        height=50.0,
    )
    stage = stages(data, look)
    image = stage.image(camera)
    assert image[32, 32, 0] > 0
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    picked = stage.pick(32, 32)
    assert picked["world_object"] is stage.volume
    expected = 60 + 11.5
    # Six halvings of one voxel.
    assert picked["view_depth"] == pytest.approx(expected, abs=0.02)
    assert picked["level"] == 0
    depth = _depth(stage)[32, 32]
    clip = camera.world_to_clip @ [11.5, 19.5, 19.5, 1.0]
    assert depth == pytest.approx(clip[2] / clip[3], abs=1e-4)


def _depth(stage):
    """The renderer's depth texture as an array."""
    texture = stage.renderer._blender.get_texture("depth")
    data = stage.gpu.device.queue.read_texture(
        {"texture": texture, "aspect": "depth-only"},
        {"bytes_per_row": 4 * texture.size[0], "rows_per_image": texture.size[1]},
        texture.size,
    )
    return np.frombuffer(data, np.float32).reshape(texture.size[1], texture.size[0])


def test_a_picked_maximum_lies_in_its_voxel(harness, stages):
    data = np.zeros((50, 60, 70), np.uint16)
    data[37, 22, 51] = 60000
    look = harness.look_of(contrast=(0, 60000))
    camera = harness.oblique(data.shape)
    stage = stages(data, look)
    image = stage.image(camera)[..., 0]
    y, x = np.unravel_index(image.argmax(), image.shape)
    depth = stage.pick(int(x), int(y))["view_depth"]
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    w, h = camera.viewport
    half = np.tan(np.radians(camera.fov) / 2)
    right, up, back = camera.axes
    sight = ((x + 0.5) / w * 2 - 1) * half * right + (1 - (y + 0.5) / h * 2) * half * up
    point = camera.position + depth * (sight - back)
    assert np.abs(point - (37, 22, 51)).max() < 1.0


def test_levels_can_be_shown_as_colours(harness, stages):
    data = np.full((8, 16, 16), 255, np.uint8)
    look = harness.look_of(contrast=(0, 255), show_levels=True)
    image = stages(data, look).image(harness.along_axis(data.shape))
    np.testing.assert_allclose(image[8, 8, :3], 255 * np.array([0.9, 0.62, 0]), atol=1)


def test_gamma_and_opacity_shape_the_colour(harness, stages):
    data = np.full((4, 8, 8), 64, np.uint8)
    look = harness.look_of(contrast=(0, 255), gamma=0.5, opacity=0.5)
    image = stages(data, look).image(
        harness.along_axis(data.shape), background=(0.2, 0.2, 0.2)
    )
    expected = 255 * (0.5 * np.sqrt(64 / 255) + 0.5 * 0.2)
    assert abs(int(image[4, 4, 0]) - expected) <= 1


def test_nearest_shows_square_voxels(harness, stages):
    data = np.zeros((1, 4, 4), np.uint8)
    data[0, 1, 2] = 255
    look = harness.look_of(contrast=(0, 255), interpolation="nearest")
    camera = replace(harness.along_axis(data.shape), viewport=(64, 64))
    image = stages(data, look).image(camera)[..., 0]
    np.testing.assert_array_equal(image, np.kron(data[0], np.ones((16, 16))))
