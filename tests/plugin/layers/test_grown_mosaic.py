"""A mosaic grows with a tile that leaves it; what shows it in napari follows."""

import numpy as np
import pytest
from napari.layers import Layer

from brickfield.plugin.layers.describe import layer_data_of
from brickfield.plugin.slicing.growth import follow_grid
from brickfield.store import open_mosaic

VOLUMES = np.random.default_rng(5).integers(60, 250, (2, 32, 40, 48)).astype("u1")


def at(x):
    matrix = np.eye(4)
    matrix[2, 3] = x
    return matrix


@pytest.fixture
def store(qapp):
    """With an application, slices are filled while they are shown."""
    with open_mosaic(list(VOLUMES), [np.eye(4), at(40)], margin=0) as opened:
        yield opened


@pytest.mark.parametrize("x", [-300.0, 300.0])
def test_voxels_stay_where_they_are_and_the_layer_reaches_further(
    seen, store, layer, x
):
    layer.scale = np.array(layer.scale) * (1, 2, 1)
    layer.rotate = (20, 30, 0)
    layer.affine = np.array(
        [[1, 0, 0.2, 3], [0, 1, 0, -4], [0, 0, 1.5, 0], [0, 0, 0, 1]]
    )

    def place_of(zyx):
        index = np.rint(store.info.world.inverse.apply(zyx))
        return np.array(layer.data_to_world(index))

    def value_at(place):
        index = np.rint(layer.world_to_data(place)).astype(int)
        return np.asarray(layer.data[0][tuple(index)])

    place, port = place_of((3, 4, 5)), seen.scene.layers[0]
    seen.gray()
    store.move(store.places[1].name, at(x))
    assert layer.data[0].shape == store.pyramid.levels[0].shape
    assert value_at(place) == VOLUMES[0][3, 4, 5]
    np.testing.assert_allclose(place_of((3, 4, 5)), place, atol=1e-9)
    assert value_at(place_of((7, 8, x + 9))) == VOLUMES[1][7, 8, 9]
    np.testing.assert_allclose(
        port.data.world.matrix[:3, 3], layer.data_to_world((0, 0, 0)), atol=1e-9
    )
    assert seen.scene.layers == (port,)


def test_pictures_and_slices_follow(seen, store, layer):
    seen.gray()
    store.move(store.places[1].name, at(-100))
    assert layer.extent.world[0][2] < -99
    assert seen.viewer.dims.range[2][0] < -99
    whole = np.zeros(store.pyramid.levels[0].shape_zyx)
    low = np.rint(store.transform[:3, 3]).astype(int)
    for volume, first in zip(VOLUMES, (0, -100), strict=True):
        a = first - low[2]
        depth, height, width = volume.shape
        whole[:depth, :height, a : a + width] = volume
    # The camera still looks at where the first tile is.
    assert np.abs(seen.gray() - VOLUMES[0].max(0)).max() <= 1
    np.testing.assert_array_equal(np.asarray(layer.data[0][7]), whole[7])


@pytest.mark.parametrize("first", ["slices", "volume"])
def test_who_follows_first_does_not_count(seen, store, first):
    """The shift of a mosaic that grows towards zero counts once."""
    (data,) = layer_data_of(store)
    layer = Layer.create(*data)

    def follow(_shift):
        follow_grid(layer)

    if first == "slices":
        store.laid_out.connect(follow)
    seen.viewer.add_layer(layer)
    (port,) = seen.scene.layers
    if first == "volume":
        store.laid_out.connect(follow)
    store.move(store.places[1].name, at(-300))
    assert store.transform[2, 3] < -200
    np.testing.assert_allclose(port.data.world.matrix, store.transform, atol=1e-9)
    np.testing.assert_allclose(
        layer.data_to_world((0, 0, 0)), store.transform[:3, 3], atol=1e-9
    )
    store.laid_out.disconnect(follow)


def test_undone_moves_leave_the_voxels_where_they_were(seen, store, layer):
    before = np.asarray(layer.data[0])
    name = store.places[1].name
    store.move(name, at(-200))
    store.move(name, at(40))
    first = np.rint(layer.world_to_data((0, 0, 0))).astype(int)
    z, y, x = (slice(a, a + n) for a, n in zip(first, before.shape, strict=True))
    np.testing.assert_array_equal(np.asarray(layer.data[0][z, y, x]), before)
