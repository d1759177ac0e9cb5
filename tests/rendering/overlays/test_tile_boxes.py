"""Boxes of tiles are drawn where the tiles lie, with their names."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.rendering.overlays.tile_boxes import MOST_NAMES

SIZE = (200, 160)


def mosaic_at(x, **options):
    """Two dark tiles, one of them shifted along x; edges are all there is to see."""
    arrays = [np.zeros((8, 60, 60), "u1")] * 2
    matrices = [np.eye(4), np.eye(4)]
    matrices[1][2, 3] = x
    return bf.open_mosaic(arrays, matrices, margin=0.0, **options)


def drawn(mosaic, **options):
    wanted = {"tiles": {"names": False, **options}}
    result = bf.render(
        mosaic, size=SIZE, camera="ortho:z", contrast=(0, 255), overlay=wanted
    )
    return result.image[..., :3].max(axis=-1)


def bright_columns(picture):
    """Columns along which a line runs through most of the tiles' height."""
    rows = picture[40:120] > 120
    return set(np.flatnonzero(rows.mean(axis=0) > 0.6).tolist())


def test_edges_stand_where_the_tiles_end(adapter):
    with mosaic_at(80) as mosaic:
        found = bright_columns(drawn(mosaic))
    # 140 voxels in the middle of 200 columns, one a column.
    middle = SIZE[0] / 2
    scale = min(SIZE[0] / 140, SIZE[1] / 60)
    edges = [middle + (e - 70) * scale for e in (0, 60, 80, 140)]
    inner = edges[1:3]
    for edge in inner:
        assert min(abs(c + 0.5 - edge) for c in found) <= 2


def test_a_moved_tile_takes_its_box_along_and_a_hidden_one_has_none(adapter):
    with mosaic_at(80) as mosaic:
        name = mosaic.places[1].name
        before = drawn(mosaic)
        mosaic.move(
            name, np.eye(4) + np.array([[0] * 4, [0] * 4, [0, 0, 0, 70], [0] * 4])
        )
        after = drawn(mosaic)
        assert not np.array_equal(before, after)
        mosaic.show(name, is_shown=False)
        alone = drawn(mosaic)
    assert (alone > 120).sum() < (after > 120).sum()


def test_names_are_written_unless_they_would_cover_the_picture(adapter):
    with mosaic_at(80) as mosaic:
        without = drawn(mosaic)
        named = drawn(mosaic, names=True)
    assert (named > 120).sum() > (without > 120).sum()
    many = [np.zeros((4, 4, 4), "u1")] * (MOST_NAMES + 1)
    places = [np.eye(4) for _ in many]
    for i, matrix in enumerate(places):
        matrix[2, 3] = 5 * i
    with bf.open_mosaic(many, places, margin=0.0) as mosaic:
        np.testing.assert_array_equal(drawn(mosaic), drawn(mosaic, names=True))


def test_an_image_that_is_no_mosaic_has_no_tiles(adapter):
    volume = np.zeros((8, 40, 40), "u1")
    with bf.open_store([volume]) as store:
        assert drawn(store).max() == 0


@pytest.mark.parametrize("option", [{"opacity": 2}, {"names": "yes"}])
def test_options_that_cannot_be_used_are_refused(option):
    with mosaic_at(80) as mosaic, pytest.raises(ValueError, match="expected"):
        drawn(mosaic, **option)
