"""Tiles of one channel each, and channels that are groups of tiles in colours."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.model import AffineTransform
from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.mosaic import MosaicOptions, MosaicSource, Tile, TilePlace

ARRAYS = [np.full((4, 4, 4), i + 1, "u1") for i in range(4)]


def tiles_of(channels=None, attributes=None, apart=3):
    tiles = []
    for i, array in enumerate(ARRAYS):
        shift = AffineTransform.from_scale((1, 1, 1), (0, 0, apart * i))
        place = TilePlace(
            f"t{i}",
            shift,
            array.shape,
            channels=None if channels is None else channels[i],
            attributes=() if attributes is None else attributes[i],
        )
        tiles.append(Tile(place, lambda array=array: from_arrays(array)))
    return tiles


def channels_of(source):
    n = source.info.pyramid.levels[0].shape[0]
    return [source.read_storage_chunk(0, (c, 0, 0, 0)).data for c in range(n)]


def test_tiles_of_one_channel_each_are_in_no_other():
    source = MosaicSource(tiles_of([(0,), (1,), (0,), (1,)], apart=4))
    assert source.info.pyramid.levels[0].shape == (2, 4, 4, 16)
    first, second = channels_of(source)
    assert first[0, 0, 0].tolist() == [1] * 4 + [0] * 4 + [3] * 4 + [0] * 4
    assert second[0, 0, 0].tolist() == [0] * 4 + [2] * 4 + [0] * 4 + [4] * 4


def test_channels_have_the_names_that_the_tiles_give_them():
    named = [(("channel", name),) for name in ("GFP", "RFP", "GFP", "RFP")]
    source = MosaicSource(tiles_of([(0,), (1,), (0,), (1,)], named))
    assert [c.name for c in source.info.channels] == ["GFP", "RFP"]


def test_neighbours_have_other_colours():
    source = MosaicSource(tiles_of(), MosaicOptions(colour_by="tile"))
    first, second = channels_of(source)
    assert len({c.color for c in source.info.channels}) == 2
    assert {*np.unique(first)} == {0, 1, 3}
    assert {*np.unique(second)} == {0, 2, 4}


def test_tiles_are_coloured_by_their_angles():
    angles = [(("angle", a),) for a in ("0", "90", "0", "180")]
    source = MosaicSource(tiles_of(attributes=angles), MosaicOptions(colour_by="angle"))
    assert [c.name for c in source.info.channels] == [
        "angle 0",
        "angle 90",
        "angle 180",
    ]
    found = [{*np.unique(c)} - {0} for c in channels_of(source)]
    assert found == [{1, 3}, {2}, {4}]


def test_an_attribute_that_no_tile_has_is_refused_in_a_sentence():
    with pytest.raises(OptionError, match="colour by tile; found 'angle'"):
        MosaicSource(tiles_of(), MosaicOptions(colour_by="angle"))


def test_the_difference_is_nothing_where_one_tile_is():
    source = MosaicSource(tiles_of(), MosaicOptions(overlap="difference"))
    found = source.read_storage_chunk(0, (0, 0, 0)).data[0, 0]
    assert found.tolist() == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0]


def test_the_difference_of_signed_numbers_is_their_largest_at_most():
    arrays = [np.full((2, 2, 2), v, "i1") for v in (-100, 100)]
    tiles = [
        Tile(TilePlace(f"t{i}", AffineTransform(), a.shape), lambda a=a: from_arrays(a))
        for i, a in enumerate(arrays)
    ]
    source = MosaicSource(tiles, MosaicOptions(overlap="difference"))
    assert {*source.read_storage_chunk(0, (0, 0, 0)).data.ravel()} == {127}


def test_another_look_shares_what_was_read_and_lies_on_the_same_grid():
    source = MosaicSource(tiles_of(), MosaicOptions(margin=0.5))
    source.read_storage_chunk(0, (0, 0, 0))
    other = source.seen_as(MosaicOptions(colour_by="tile"))
    assert other.grid == source.grid
    assert other.read_storage_chunk(0, (0, 0, 0, 0)).stored_bytes == 0
