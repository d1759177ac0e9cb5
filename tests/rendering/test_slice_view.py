"""A slice is the array, wherever the plane lies, and every view has its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from brickfield.camera import OrthoCamera, fit_camera, slice_camera
from brickfield.loading import default_cache
from brickfield.model import AffineTransform, Plane
from brickfield.model.appearance import Appearance, ChannelAppearance, color_lut
from brickfield.planning import EXPORT
from brickfield.rendering.offscreen import OffscreenView
from brickfield.rendering.picking import pick
from brickfield.rendering.volume_view import world_corners
from brickfield.sample import VirtualImage, VirtualSource
from brickfield.store import ChunkedImageStore, ChunkedLayer, open_store
from brickfield.testing import MemorySource

pytestmark = pytest.mark.gpu
SHAPE = (64, 96, 128)
"""In chunks of 32: 2 x 3 x 4."""
LEVEL_0 = replace(EXPORT, base_share=0.0, forced_level=0)


@pytest.fixture
def slice_of(adapter):
    """Views of slices that are closed afterwards."""
    views = []

    def make(plane, *layers, size=None, policy=LEVEL_0, **options):
        corners = np.concatenate([world_corners(layer) for layer in layers])
        down, right, _ = plane.axes
        if size is None:
            extents = [float(np.ptp(corners @ axis)) for axis in (right, down)]
            size = tuple(round(e) for e in extents)
        view = OffscreenView(size, policy=policy, plane=plane, **options)
        view.set_layers(layers)
        view.camera = slice_camera(plane, corners, size)
        views.append(view)
        return view

    yield make
    for view in views:
        view.close()


@pytest.fixture
def opened():
    """Stores that are closed afterwards, with an empty cache."""
    default_cache().clear()
    stores = []

    def make(data, **options):
        is_array = isinstance(data, np.ndarray | list)
        store = open_store(data, **options) if is_array else ChunkedImageStore(data)
        stores.append(store)
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def layer_of(store, contrast=(0.0, 255.0), **look):
    channel = ChannelAppearance(contrast=contrast)
    return ChunkedLayer(store, Appearance(channels=(channel,), **look))


def gray(view):
    assert view.wait_until_complete(60)
    image = view.image()
    assert set(np.unique(view.classes())) <= {0, 1}
    return image[..., 0].astype(float)


def shown(values, contrast=(0.0, 255.0)):
    low, high = contrast
    return np.round(255 * np.clip((values - low) / (high - low), 0, 1))


def noise(dtype, shape=SHAPE):
    rng = np.random.default_rng(1)
    if np.dtype(dtype).kind == "f":
        data = rng.normal(size=shape).astype(dtype)
        data[rng.random(shape) < 0.1] = np.nan
        return data
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_of_bytes_through_voxel_centres_is_the_array(
    slice_of, opened, axis, interpolation
):
    data = noise("u1")
    layer = layer_of(opened(data, chunk_edge=32), interpolation=interpolation)
    # The last of a chunk, the first of the next, somewhere, and both ends.
    for i in (31, 32, 47, 0, SHAPE[axis] - 1):
        found = gray(slice_of(Plane.across(axis, float(i)), layer))
        np.testing.assert_array_equal(found, np.take(data, i, axis=axis))


@pytest.mark.parametrize(
    ("dtype", "contrast"), [("u2", (0, 65535)), ("i2", (0, 32767)), ("f4", (-2, 2))]
)
@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
def test_a_slice_of_any_number_is_the_array(
    slice_of, opened, dtype, contrast, interpolation
):
    data = noise(dtype)
    store = opened(data, scale=(0.3, 1.0, 1.0))
    layer = layer_of(store, contrast, interpolation=interpolation)
    found = gray(slice_of(Plane.across(0, 0.3 * 33), layer))
    # What is no number is drawn as the lower end, as on a ray that meets no other.
    expected = shown(np.nan_to_num(data[33].astype(float), nan=contrast[0]), contrast)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("position", [31.25, 31.5, 31.75, 32.4, 50.5])
def test_between_voxels_a_slice_is_interpolated_also_at_a_chunk_s_face(
    slice_of, opened, axis, position
):
    data = noise("u1")
    layer = layer_of(opened(data, chunk_edge=32))
    found = gray(slice_of(Plane.across(axis, position), layer))
    at = [np.arange(n, dtype=float) for n in SHAPE]
    at[axis] = np.array([position])
    expected = ndimage.map_coordinates(
        data.astype(float), np.meshgrid(*at, indexing="ij"), order=1, mode="nearest"
    ).squeeze(axis)
    assert np.abs(found - np.round(expected)).max() <= 1


@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_on_a_face_of_the_volume_a_slice_shows_the_outer_voxels(
    slice_of, opened, axis, interpolation
):
    data = noise("u1")
    store = opened(data, chunk_edge=32)
    layer = layer_of(store, interpolation=interpolation)
    for position, i in ((-0.5, 0), (SHAPE[axis] - 0.5, SHAPE[axis] - 1)):
        found = gray(slice_of(Plane.across(axis, position), layer))
        np.testing.assert_array_equal(found, np.take(data, i, axis=axis))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pixels_between_voxels_are_interpolated_also_along_faces_of_chunks(
    slice_of, opened, axis
):
    data = noise("u1")
    layer = layer_of(opened(data, chunk_edge=32))
    plane = Plane.across(axis, 31.5)
    h, w = (n for a, n in enumerate(SHAPE) if a != axis)
    view = slice_of(plane, layer, size=(w, h))
    # Half a voxel aside: every pixel lies where two or four chunks or voxels meet.
    down, right, _ = plane.axes
    shift = 0.5 * (np.array(down) + right)
    camera = view.camera
    view.camera = replace(
        camera,
        position=tuple(camera.position + shift),
        target=tuple(camera.target + shift),
    )
    found = gray(view)[:-1, :-1]
    at = [np.arange(n - 1) + 0.5 for n in SHAPE]
    at[axis] = np.array([31.5])
    expected = ndimage.map_coordinates(
        data.astype(float), np.meshgrid(*at, indexing="ij"), order=1
    ).squeeze(axis)
    # Software Vulkan mixes bytes with fewer digits.
    assert np.abs(found - expected).max() <= 2


def test_half_way_between_two_voxels_the_nearest_is_the_same_for_the_whole_picture(
    slice_of, opened
):
    data = noise("u1")
    layer = layer_of(opened(data, chunk_edge=32), interpolation="nearest")
    view = slice_of(Plane.across(0, 31.5), layer)
    np.testing.assert_array_equal(gray(view), data[32])
    (renderer,) = view.manager.renderers
    assert renderer.plan.n_chunks == 3 * 4, "only the chunks behind the face"


def test_only_the_chunks_that_the_plane_meets_are_read(slice_of, opened):
    store = opened(noise("u1"), chunk_edge=32)
    for position, n in ((10.0, 1), (31.0, 1), (32.0, 1), (31.7, 2)):
        view = slice_of(Plane.across(0, position), layer_of(store))
        gray(view)
        (renderer,) = view.manager.renderers
        assert renderer.plan.n_chunks == n * 3 * 4
        assert renderer.chunk_counts()["loaded"] == n * 3 * 4


def test_labels_of_64_bits_are_cut_without_mixing(slice_of, opened):
    rng = np.random.default_rng(2)
    data = rng.integers(0, 5, SHAPE).astype(np.uint64)
    data[data == 4] = (1 << 40) + 4
    layer = layer_of(opened(data, chunk_edge=32), is_labels=True)
    view = slice_of(Plane.across(1, 17.0), layer)
    assert view.wait_until_complete(60)
    image = view.image()[..., :3].reshape(-1, 3)
    numbers = data[:, 17].ravel()
    for label in np.unique(numbers):
        colors = np.unique(image[numbers == label], axis=0)
        assert len(colors) == 1
        assert colors.any() == (label != 0)
    assert len(np.unique(image, axis=0)) == 5


def test_an_oblique_plane_shows_the_nearest_voxels(slice_of, opened):
    data = noise("u1")
    plane = Plane((34.2, 44.1, 55.3), (0.8, 0.5, -0.3))
    layer = layer_of(opened(data, chunk_edge=32), interpolation="nearest")
    view = slice_of(plane, layer, size=(120, 100))
    found = gray(view)
    points = points_of(view)
    at = np.floor(points + 0.5).astype(int)
    inside = ((at >= 0) & (at < SHAPE)).all(axis=-1)
    expected = np.where(inside, data[tuple(np.clip(at, 0, np.array(SHAPE) - 1).T)].T, 0)
    wrong = found != expected
    # Pixels within float32 of a face may take the voxel beyond it.
    near_face = (np.abs(points + 0.5 - np.rint(points + 0.5)) < 2e-3).any(axis=-1)
    assert inside.mean() > 0.5
    assert not (wrong & ~near_face).any()
    assert (view.classes() == 0)[~inside & ~near_face].all(), "nothing beside the data"


def points_of(view):
    """World points under the middle of each pixel, shape (h, w, 3)."""
    width, height = view.camera.viewport
    right, up, _ = view.camera.axes
    x = ((np.arange(width) + 0.5) / width - 0.5) * 2 * view.camera.width_over_height
    y = (0.5 - (np.arange(height) + 0.5) / height) * 2
    half = view.camera.height / 2
    across = x[None, :, None] * right + y[:, None, None] * up
    return np.array(view.camera.target) + half * across


def test_a_turned_layer_is_cut_where_it_lies_in_the_world(slice_of, opened):
    data = noise("u1")
    layer = layer_of(opened(data, chunk_edge=32))
    c, s = np.cos(0.4), np.sin(0.4)
    world = [[1.0, 0, 0, 3.0], [0, c, -s, 5.0], [0, s, c, -7.0]]
    layer.world = AffineTransform.from_matrix(world)
    view = slice_of(Plane.across(1, 40.3), layer, size=(140, 80))
    found = gray(view)
    at = np.moveaxis(layer.world.inverse.apply(points_of(view)), -1, 0)
    expected = ndimage.map_coordinates(data.astype(float), at, order=1, mode="nearest")
    box = np.array(SHAPE)[:, None, None]
    inside = ((at > -0.499) & (at < box - 0.501)).all(axis=0)
    beside = ((at < -0.501) | (at > box - 0.499)).any(axis=0)
    assert inside.mean() > 0.3
    # A place within 0.002 of a voxel's middle is taken for it: half a gray in noise.
    assert np.abs(found - np.round(expected))[inside].max() <= 2
    assert not found[beside].any()


def test_over_budget_a_slice_is_coarser_and_nowhere_empty(
    slice_of, opened, volume, levels_of
):
    data = np.tile(volume, (1, 3, 3))
    store = opened(levels_of(data, 3), chunk_edge=32)
    layer = layer_of(store)
    # Level 0 alone would take 14 x 15 bricks of 39 kB.
    plane, policy = Plane.across(0, 50.0), replace(EXPORT, base_share=0.0)
    view = slice_of(plane, layer, gpu_budget=5_000_000, policy=policy)
    assert view.wait_until_complete(60)
    (renderer,) = view.manager.renderers
    assert renderer.plan.is_coarsened
    assert set(np.unique(view.classes())) == {1, 2}
    plan = renderer.plan
    assert set(plan.levels[plan.is_leaf].tolist()) > {0}
    assert view.manager.gpu_bytes <= 5_000_000


def test_a_layer_s_clip_planes_cut_its_slice(slice_of, opened):
    data = noise("u1") | 1
    box = ((-np.inf, 19.5, -np.inf), (np.inf, np.inf, 60.5))
    layer = layer_of(opened(data), clip_box=box)
    found = gray(slice_of(Plane.across(0, 8.0), layer))
    expected = data[8].astype(float)
    expected[:20] = expected[:, 61:] = 0
    np.testing.assert_array_equal(found, expected)


def test_channels_are_added_up_as_in_a_projection(slice_of, opened):
    data = np.stack([noise("u1") // 2, noise("u1")[::-1] // 2])
    store = opened(data, axes=("c", "z", "y", "x"))
    red, yellow = color_lut((255, 0, 0)), color_lut((255, 255, 0))
    looks = tuple(ChannelAppearance(contrast=(0, 255), lut=c) for c in (red, yellow))
    layer = ChunkedLayer(store, Appearance(channels=looks), [(0,), (1,)])
    view = slice_of(Plane.across(2, 40.0), layer)
    assert view.wait_until_complete(60)
    image = view.image().astype(int)
    both = data[:, :, :, 40].astype(int)
    assert np.abs(image[..., 0] - both.sum(axis=0)).max() <= 1
    assert np.abs(image[..., 1] - both[1]).max() <= 1


def test_a_view_of_the_volume_and_one_of_a_slice_share_nothing_but_the_cache(
    slice_of, opened, make_view
):
    data = noise("u1")
    store = opened(data, chunk_edge=32)
    layer = layer_of(store)
    volume = make_view(layer, camera="ortho:z", size=SHAPE[:0:-1])
    assert volume.wait_until_complete(60)
    before = store.manager.counters
    view = slice_of(Plane.across(0, 12.0), layer)
    np.testing.assert_array_equal(gray(view), data[12])
    after = store.manager.counters
    assert (after.requests, after.bytes_read) == (before.requests, before.bytes_read)
    np.testing.assert_array_equal(volume.image()[..., 0], data.max(axis=0))
    counts = [v.manager.renderers[0].chunk_counts()["loaded"] for v in (volume, view)]
    assert counts == [2 * 3 * 4, 3 * 4]
    assert layer.appearance.mode == "mip"


def test_moving_the_plane_rebuilds_nothing_and_reads_what_is_new(slice_of, opened):
    data = noise("u1")
    store = opened(MemorySource([data], (32, 32, 32), chunk=(32, 32, 32)))
    view = slice_of(Plane.across(0, 3.0), layer_of(store))
    gray(view)
    (renderer,) = view.manager.renderers
    program = renderer.bricks.material.program
    texture = renderer.bricks.atlas.texture(0)
    requests = store.manager.counters.requests
    view.plane = view.plane.moved(20.0)
    assert list(view.sync().values()) == [set()]
    np.testing.assert_array_equal(gray(view), data[23])
    assert store.manager.counters.requests == requests, "the same chunks"
    view.plane = Plane.across(0, 40.0)
    np.testing.assert_array_equal(gray(view), data[40])
    assert store.manager.counters.requests == requests + 12
    assert renderer.bricks.material.program == program
    assert renderer.bricks.atlas.texture(0) is texture


def test_a_view_can_leave_the_slice_for_the_volume_and_come_back(slice_of, opened):
    data = noise("u1")
    view = slice_of(Plane.across(0, 3.0), layer_of(opened(data)))
    np.testing.assert_array_equal(gray(view), data[3])
    view.plane = None
    np.testing.assert_array_equal(gray(view), data.max(axis=0))
    view.plane = Plane.across(0, 3.0)
    np.testing.assert_array_equal(gray(view), data[3])


def test_a_pick_is_the_point_on_the_plane(slice_of, opened):
    data = noise("u2")
    store = opened(data, scale=(2.0, 1.0, 1.0))
    view = slice_of(Plane.across(0, 2.0 * 21), layer_of(store, (0, 65535)))
    gray(view)
    view.image()
    found = pick(view, 30.5, 60.5)
    np.testing.assert_allclose(found.world, (42.0, 60.0, 30.0), atol=1e-3)
    assert found.voxel == (21, 60, 30)
    assert found.values == (data[21, 60, 30],)


def test_a_slice_far_out_in_a_huge_image_is_exact(slice_of, opened):
    """At places that 32 bits hold to a sixteenth of a voxel only."""
    source = VirtualSource(VirtualImage((1 << 20,) * 3, is_hollow=False))
    layer = layer_of(opened(source))
    middle = np.array([999_990, 876_543, 1_000_001])
    for axis in range(3):
        plane = Plane(tuple(middle.astype(float)), tuple(np.eye(3)[axis]))
        view = slice_of(plane, layer, size=(64, 48), policy=replace(EXPORT))
        down, right, _ = plane.axes
        half = np.abs(24 * down + 32 * right).astype(int)
        corner = middle - half
        # One pixel a voxel: the picture's middle lies between four voxels.
        target = tuple(corner + half - 0.5 * (down + right))
        back = np.array(target) - plane.axes[2] * 10.0
        camera = replace(view.camera, position=tuple(back), target=target, height=48.0)
        view.camera = camera
        found = gray(view)
        shape = tuple(int(n) for n in 2 * half + np.eye(3, dtype=int)[axis])
        expected = source.voxels(0, tuple(corner.tolist()), shape).squeeze(axis)
        np.testing.assert_array_equal(found, expected)


def test_a_plane_beside_the_data_shows_nothing_and_waits_for_nothing(slice_of, opened):
    layer = layer_of(opened(noise("u1")))
    view = slice_of(Plane.across(0, 64.0), layer, background=(0.2, 0.2, 0.2))
    assert (gray(view) == 51).all()
    assert not view.classes().any()
    (renderer,) = view.manager.renderers
    assert renderer.plan.n_chunks == 0


def test_a_flat_image_is_its_own_slice(slice_of, opened):
    data = noise("u1", (96, 128))
    layer = layer_of(opened(data))
    np.testing.assert_array_equal(gray(slice_of(Plane.across(0, 0.0), layer)), data)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_camera_of_a_slice_has_the_rows_and_columns_of_an_ortho_camera(axis):
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * [40.0, 60.0, 90.0] - 0.5
    size = tuple(int(n) for n in np.delete([40, 60, 90], axis)[::-1])
    other = fit_camera(OrthoCamera("zyx"[axis]), corners, size, (40, 60, 90))
    for normal in np.eye(3)[axis], -np.eye(3)[axis]:
        camera = slice_camera(Plane((7.0, 8.0, 9.0), tuple(normal)), corners, size)
        points = np.random.default_rng(0).uniform(0, 40, (20, 3))
        points = np.column_stack([points, np.ones(20)])
        for one in (0, 1):
            np.testing.assert_allclose(
                points @ camera.world_to_clip[one], points @ other.world_to_clip[one]
            )
        assert camera.target[axis] == (7.0, 8.0, 9.0)[axis]


def test_what_an_oblique_plane_cuts_fills_the_picture():
    """Across the corner of a cube it cuts a triangle of edge 10 √2."""
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * 100.0
    plane = Plane((0.0, 0.0, 10.0), (1.0, 1.0, 1.0))
    camera = slice_camera(plane, corners, (100, 100))
    triangle = 10.0 * np.eye(3)
    clip = np.column_stack([triangle, np.ones(3)]) @ camera.world_to_clip.T
    assert np.abs(clip[:, :2]).max() == pytest.approx(1.0)
    assert camera.height == pytest.approx(10 * np.sqrt(2))
    beside = slice_camera(Plane.across(0, 400.0), corners, (100, 100))
    assert beside.height == pytest.approx(100.0)
