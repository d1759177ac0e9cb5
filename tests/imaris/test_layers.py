"""Layers of napari as the channels of an Imaris file, and where they lie."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import brickfield as bf
from brickfield.errors import OptionError
from brickfield.imaris import look_ahead
from brickfield.sources import from_arrays
from brickfield.store import ChunkedImageStore, LazyLevel

RNG = np.random.default_rng(8)
TURN = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]


class Layer:
    """What an export asks of a layer."""

    def __init__(self, data, name, **facts):
        self.data, self.name = data, name
        self.multiscale = isinstance(data, list)
        self.scale, self.translate = (2.0, 1.0, 1.0), (0.0, 5.0, 5.0)
        self.__dict__.update(facts)


def noise(shape):
    return RNG.integers(0, 3000, shape, np.uint16)


def test_layers_become_the_channels_of_one_file(tmp_path):
    one, two = noise((6, 20, 20)), RNG.integers(0, 9, (6, 20, 20), np.uint8)
    layers = [Layer([one, one[::2]], "one"), Layer(two, "cells", selected_label=1)]
    result = bf.to_imaris(layers, tmp_path / "a.ims")
    assert result.dtype == "uint16"
    opened = bf.open_store(tmp_path / "a.ims")
    assert [c.name for c in opened.channels] == ["one", "cells"]
    assert_array_equal(opened.read(0, None, (0, 1)), two)
    assert opened.pyramid.levels[0].translation_zyx == pytest.approx((0, 5, 5))


@pytest.mark.parametrize("samples", [3, 4])
def test_a_layer_of_colours_becomes_three_channels(tmp_path, samples):
    picture = RNG.integers(0, 255, (5, 20, 20, samples), np.uint8)
    bf.to_imaris(Layer(picture, "photo", rgb=True), tmp_path / "a.ims")
    opened = bf.open_store(tmp_path / "a.ims")
    assert [c.color for c in opened.channels] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    for channel in range(3):
        found = opened.read(0, None, (0, channel))
        assert_array_equal(found, picture[..., channel])


def test_each_block_of_a_lazy_layer_is_computed_once(tmp_path):
    image, computed = noise((6, 40, 40)), []

    def seen(block, block_info=None):
        computed.append(block_info[0]["chunk-location"])
        return block

    lazy = da.from_array(image, chunks=(3, 20, 20)).map_blocks(seen, dtype="u2")
    computed.clear()  # dask tries a function on nothing first
    bf.to_imaris(Layer([lazy, lazy[:, ::2, ::2]], "lazy"), tmp_path / "a.ims")
    assert sorted(computed) == sorted(np.ndindex(2, 2, 2))
    assert_array_equal(bf.open_store(tmp_path / "a.ims").read(0, None, (0, 0)), image)


def test_an_affine_that_only_scales_and_shifts_is_written(tmp_path):
    affine = np.diag([0.5, 2.0, 3.0, 1.0])
    affine[:3, 3] = (7, 8, 9)
    bf.to_imaris(Layer(noise((4, 9, 9)), "a", affine=affine), tmp_path / "a.ims")
    level = bf.open_store(tmp_path / "a.ims").pyramid.levels[0]
    assert level.voxel_size_zyx == pytest.approx((1, 2, 3))
    assert level.translation_zyx == pytest.approx((7, 18, 24))


@pytest.mark.parametrize(
    "facts",
    [
        {"rotate": TURN},
        {"shear": [0.0, 0.0, 0.3]},
        {"affine": np.pad(np.array(TURN), (0, 1)) + np.diag([0, 0, 0, 1])},
        {"scale": (2.0, -1.0, 1.0)},
    ],
)
def test_a_rotation_that_is_not_written_is_told(tmp_path, facts):
    image = noise((4, 9, 9))
    layer = Layer(image, "tilted", **facts)
    result = bf.to_imaris(layer, tmp_path / "a.ims")
    (told,) = [note for note in result.notes if "rotated" in note]
    assert "'tilted'" in told
    opened = bf.open_store(tmp_path / "a.ims")
    assert_array_equal(opened.read(0, None, (0, 0)), image)
    assert opened.pyramid.levels[0].voxel_size_zyx == pytest.approx((2, 1, 1))
    assert told in look_ahead(layer, tmp_path / "b.ims").notes


@pytest.mark.parametrize(
    "facts",
    [
        {"rotate": TURN},
        {"translate": (0, 5, 7)},
        {"scale": (2, 1, 1.5)},
        {"units": ("nm", "nm", "nm")},
    ],
)
def test_layers_that_lie_apart_are_no_channels_of_one_file(tmp_path, facts):
    layers = [Layer(noise((4, 9, 9)), "a"), Layer(noise((4, 9, 9)), "b", **facts)]
    with pytest.raises(OptionError, match="'a' and 'b' apart: export each"):
        bf.to_imaris(layers, tmp_path / "a.ims")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [np.zeros((7, 3)), [np.zeros((4, 3))]])
def test_a_layer_of_points_or_shapes_is_refused_by_name(tmp_path, data):
    odd = Layer(data, "spots", multiscale=False)
    with pytest.raises(OptionError, match=r"spots.* no voxels"):
        bf.to_imaris([Layer(noise((6, 20, 20)), "a"), odd], tmp_path / "a.ims")


def test_layers_with_different_axes_are_told_so(tmp_path):
    series = Layer(noise((2, 6, 20, 20)), "series", scale=(1,) * 4, translate=(0,) * 4)
    with pytest.raises(OptionError, match="3 of 'a' and 4 of 'series'"):
        bf.to_imaris([Layer(noise((6, 20, 20)), "a"), series], tmp_path / "a.ims")


def test_a_colormap_that_ends_in_black_is_no_black_channel_and_told(tmp_path):
    """On Imaris' black ground such a channel would show nothing."""
    inverted = SimpleNamespace(colors=[[1, 1, 0.9, 1], [0, 0, 0, 1]])
    layer = Layer(noise((6, 20, 20)), "dark", colormap=inverted)
    result = bf.to_imaris(layer, tmp_path / "a.ims")
    assert bf.open_store(tmp_path / "a.ims").channels[0].color == (255, 255, 230)
    assert any("largest values black" in note for note in result.notes)


def levels_of(store, dtype=None):
    return [LazyLevel(store, n, dtype=dtype) for n in range(store.pyramid.n_levels)]


@pytest.mark.parametrize("level", [0, 1])
def test_layers_of_a_mosaic_are_written_without_its_room_and_where_they_were(
    tmp_path, level
):
    arrays = [RNG.integers(1, 250, (20, 70, 90)).astype("u2") for _ in range(2)]
    places = [np.eye(4), np.eye(4)]
    places[1][:3, 3] = (1, 30, 67)
    with bf.open_mosaic(arrays, places, margin=0.4) as store:
        about = store.pyramid.levels[0]
        layer = Layer(
            levels_of(store),
            "tiles",
            scale=np.multiply(about.voxel_size_zyx, 3),
            translate=np.multiply(about.translation_zyx, 3) + np.array([4, 5, 6]),
        )
        other = Layer(np.ones(about.shape_zyx, "u2"), "mask")
        other.scale, other.translate = layer.scale, layer.translate
        result = bf.to_imaris(layer, tmp_path / "a.ims", level=level)
        both = bf.to_imaris([layer, other], tmp_path / "b.ims")
        every = store.read(level)
        from_world = store.pyramid.levels[level]
    assert any("left out the empty room" in note for note in result.notes)
    assert both.shape == (1, 2, *about.shape_zyx)
    with bf.open_store(tmp_path / "a.ims") as opened:
        found, here = opened.read(0).squeeze(), opened.pyramid.levels[0]
    assert level or found.shape == (21, 100, 157)
    assert here.voxel_size_zyx == pytest.approx(
        np.multiply(from_world.voxel_size_zyx, 3)
    )
    world = (np.array(here.translation_zyx) - (4, 5, 6)) / 3
    first = (world - from_world.translation_zyx) / from_world.voxel_size_zyx
    assert first == pytest.approx(np.rint(first), abs=1e-4)
    z, y, x = np.rint(first).astype(int)
    d, h, w = found.shape
    assert_array_equal(found, every[z : z + d, y : y + h, x : x + w])
    assert found.sum() == every.sum()


def test_a_level_of_a_lazy_layer_lies_where_its_pyramid_says(tmp_path):
    """Of levels that end beyond the image, as of 101 voxels halved to 51."""
    fine = noise((5, 41, 101))
    coarse = fine[:, ::2, ::2]
    source = from_arrays([fine, coarse], scale=[(1, 1, 1), (1, 2, 2)])
    layer = Layer(levels_of(ChunkedImageStore(source)), "odd")
    layer.scale, layer.translate = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    bf.to_imaris(layer, tmp_path / "a.ims", level=1)
    with bf.open_store(tmp_path / "a.ims") as opened:
        about = opened.pyramid.levels[0]
    assert about.voxel_size_zyx == pytest.approx((1, 2, 2))
    assert about.translation_zyx == pytest.approx((0, 0.5, 0.5))
