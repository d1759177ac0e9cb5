"""What lies under a pixel is told in the type and the space of the file."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.rendering.picking import pick, point_at
from brickfield.store import open_store
from brickfield.testing.zarr_stores import image_attributes, write_array, write_group


@pytest.mark.parametrize("camera", ["ortho:z", "orbit:25,15"])
def test_a_single_bright_voxel_is_found_where_it_is(make_view, layer_of, camera):
    data = np.zeros((60, 80, 90), np.uint16)
    data[41, 33, 57] = 60000
    default_cache().clear()
    with open_store(data, scale=(2.0, 1.0, 0.5)) as store:
        layer = layer_of(store)
        view = make_view(layer, size=(180, 160), camera=camera)
        assert view.wait_until_complete(30)
        image = view.image()[..., 0]
        y, x = np.argwhere(image == image.max()).mean(axis=0)
        found = pick(view, x + 0.5, y + 0.5)
    assert found is not None
    assert found.layer is layer
    assert found.level == 0
    assert found.voxel == (41, 33, 57)
    assert found.values == (60000,)
    assert found.values[0].dtype == np.uint16
    np.testing.assert_allclose(found.data, (41, 33, 57), atol=0.51)
    np.testing.assert_allclose(found.world, (82, 33, 28.5), atol=1.1)


def test_a_pixel_of_a_fine_screen_is_where_it_is_seen(make_view, layer_of):
    data = np.zeros((20, 40, 40), np.uint16)
    data[9, 13, 31] = 60000
    default_cache().clear()
    with open_store(data) as store:
        view = make_view(layer_of(store), size=(160, 160), camera="ortho:z")
        # The same 160 by 160 pixels, as 80 by 80 of two pixels each.
        view.resize((80, 80), 2.0)
        assert view.wait_until_complete(30)
        image = view.image()[..., 0]
        assert image.shape == (160, 160)
        y, x = np.argwhere(image == image.max()).mean(axis=0)
        found = pick(view, (x + 0.5) / 2, (y + 0.5) / 2)
    assert found is not None
    assert found.voxel == (9, 13, 31)


def test_64_bit_labels_keep_every_bit(make_view, layer_of):
    label = 2**63 + 12345
    data = np.full((8, 16, 16), label, np.uint64)
    default_cache().clear()
    with open_store(data) as store:
        layer = layer_of(store, is_labels=True, interpolation="nearest")
        view = make_view(layer, size=(16, 16), camera="ortho:z")
        assert view.wait_until_complete(30)
        view.image()
        found = pick(view, 8, 8)
    assert found is not None
    assert found.values == (label,)


def test_nothing_is_found_beside_the_volume(make_view, layer_of, store):
    view = make_view(layer_of(store), size=(200, 60), camera="ortho:z")
    assert view.wait_until_complete(30)
    view.image()
    assert pick(view, 2, 30) is None


def test_a_pixel_and_its_depth_give_the_point_that_projects_there(
    make_view, layer_of, store
):
    view = make_view(layer_of(store), camera="orbit:40,-10")
    camera = view.camera.with_depth_range(np.array([[0.0, 0, 0], [130, 140, 150]]))
    point = np.array([100.0, 20.0, 60.0])
    clip = camera.world_to_clip @ np.append(point, 1)
    width, height = camera.viewport
    x = (clip[0] / clip[3] + 1) / 2 * width
    y = (1 - clip[1] / clip[3]) / 2 * height
    depth = (point - np.array(camera.position)) @ camera.forward
    np.testing.assert_allclose(point_at(camera, x, y, depth), point, atol=1e-9)


def test_the_other_visible_layers_are_read_at_the_same_place(make_view, layer_of):
    data = np.zeros((20, 40, 40), np.uint16)
    data[9, 13, 31] = 60000
    ids = np.zeros((20, 40, 40), np.int32)
    ids[9, 13, 31] = 7
    far = np.full((4, 4, 4), 5, np.uint8)
    default_cache().clear()
    with open_store(data) as a, open_store(ids) as b, open_store(far) as c:
        labels = layer_of(b, is_labels=True, interpolation="nearest")
        layers = [layer_of(a), labels, layer_of(c)]
        view = make_view(layers[0], size=(40, 40), camera="ortho:z")
        view.set_layers(layers)
        assert view.wait_until_complete(30)
        view.image()
        found = pick(view, 31.5, 13.5)
        assert found is not None
        both = {one.layer: one.values[0] for one in (found, *found.others)}
        assert both == {layers[0]: 60000, labels: 7}, "the small one does not reach"
        labels.visible = False
        assert view.wait_until_complete(30)
        view.image()
        found = pick(view, 31.5, 13.5)
        assert found is not None
        assert found.others == ()


def test_another_layer_is_listed_where_only_its_coarse_voxels_reach(
    make_view, layer_of, tmp_path
):
    """The last voxel of a coarse level may end beyond level 0, and is drawn there."""
    wide = np.zeros((4, 12, 12), np.uint8)
    wide[:, 9, 9] = 200
    scales = [(1.0, 1.0, 1.0), (2.0, 2.0, 2.0)]
    shifts = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5)]
    write_group(tmp_path, image_attributes("zyx", scales, translations=shifts))
    # 9 voxels make 5 pairs: the last one reaches from 7.5 to 9.5, level 0 to 8.5.
    write_array(tmp_path / "0", np.full((4, 9, 9), 3, np.uint8), chunks=(4, 9, 9))
    write_array(tmp_path / "1", np.full((2, 5, 5), 5, np.uint8), chunks=(2, 5, 5))
    default_cache().clear()
    with open_store(wide) as a, open_store(tmp_path) as b:
        layers = [layer_of(a), layer_of(b)]
        view = make_view(layers[0], size=(12, 12), camera="ortho:z")
        view.set_layers(layers)
        assert view.wait_until_complete(30)
        view.image()
        found = pick(view, 9.5, 9.5)
    assert found is not None
    both = {one.layer: (one.level, one.values[0]) for one in (found, *found.others)}
    assert both == {layers[0]: (0, 200), layers[1]: (1, 5)}
