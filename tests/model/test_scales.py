"""Geometry of levels, with numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model.scales import Axis, Pyramid, ScaleLevel, choose_chunk_shape


def level(shape, voxel_size, translation, spatial_axes, chunk=(4, 4, 4)):
    return ScaleLevel(
        path="0",
        shape=shape,
        dtype=np.dtype("u2"),
        storage_chunk_shape=(1,) * len(shape),
        voxel_size=voxel_size,
        translation=translation,
        spatial_axes=spatial_axes,
        chunk_shape=chunk,
    )


@pytest.fixture
def pyramid():
    """Time, channel, z, y, x; halved along y and x, thirds along z, with shifts."""
    axes = (
        Axis("t", "time", "second"),
        Axis("c", "channel"),
        Axis("z", "space", "micrometer"),
        Axis("y", "space", "micrometer"),
        Axis("x", "space", "nanometer"),
    )
    fine = level((5, 2, 9, 10, 8), (1, 1, 4, 0.5, 0.5), (0, 0, 10, 1, 2), (2, 3, 4))
    coarse = level((5, 2, 3, 5, 4), (1, 1, 12, 1, 1), (0, 0, 14, 1.25, 2.25), (2, 3, 4))
    return Pyramid(axes, (fine, coarse))


def test_downscale_and_offset_lead_to_level_0(pyramid):
    np.testing.assert_allclose(pyramid.downscale, [[1, 1, 1], [3, 2, 2]])
    np.testing.assert_allclose(pyramid.offset, [[0, 0, 0], [1, 0.5, 0.5]])


def test_axes_are_found_by_their_kind(pyramid):
    assert pyramid.time_axis == 0
    assert pyramid.channel_axis == 1
    assert pyramid.other_axes == (0, 1)
    assert pyramid.unit == "nanometer"


def test_a_pyramid_without_time_or_channel_has_none(pyramid):
    plain = Pyramid(
        pyramid.axes[2:], (level((9, 10, 8), (1,) * 3, (0,) * 3, (0, 1, 2)),)
    )
    assert plain.time_axis is None
    assert plain.channel_axis is None
    assert plain.other_axes == ()


def test_grids_round_up(pyramid):
    assert pyramid.grids_zyx.tolist() == [[3, 3, 2], [1, 2, 1]]
    assert pyramid.levels[0].n_voxels == 720


def test_bounds_are_the_edges_of_level_0(pyramid):
    assert pyramid.data_bounds == ((-0.5, -0.5, -0.5), (8.5, 9.5, 7.5))


def test_an_absent_axis_is_one_voxel_thick():
    flat = level((10, 8), (0.5, 0.25), (3, 4), (-1, 0, 1), (1, 4, 4))
    assert flat.shape_zyx == (1, 10, 8)
    assert flat.voxel_size_zyx == (1.0, 0.5, 0.25)
    assert flat.translation_zyx == (0.0, 3, 4)
    assert flat.storage_chunk_zyx == (1, 1, 1)
    assert flat.grid_zyx == (1, 3, 2)


def test_other_chunks_leave_everything_else_alone(pyramid):
    other = pyramid.with_chunk_shapes(((9, 10, 8), (1, 5, 4)))
    assert other.grids_zyx.tolist() == [[1, 1, 1], [3, 1, 1]]
    np.testing.assert_array_equal(other.shapes_zyx, pyramid.shapes_zyx)


def test_the_number_of_chunk_shapes_must_be_that_of_the_levels(pyramid):
    with pytest.raises(ValueError, match="shorter"):
        pyramid.with_chunk_shapes(((9, 10, 8),))


@pytest.mark.parametrize(
    ("shape", "storage", "expected"),
    [
        ((512, 512, 512), (64, 64, 64), (64, 64, 64)),
        ((512, 512, 512), (256, 256, 256), (64, 64, 64)),
        # 100 is taken as it is, 32 is doubled, 1 is stacked.
        ((500, 512, 512), (100, 32, 1), (100, 64, 64)),
        # Nothing between 62 and 104 divides 113 or is a multiple of it.
        ((500, 500, 500), (47, 113, 200), (94, 64, 100)),
        # Thin axes whole, the others larger: 1 x 256 x 256.
        ((1, 4096, 4096), (1, 1024, 1024), (1, 256, 256)),
        ((20, 60, 50), (8, 8, 8), (20, 60, 50)),
    ],
)
def test_chunks_fit_what_is_stored(shape, storage, expected):
    assert choose_chunk_shape(shape, storage) == expected


@given(st.tuples(*[st.integers(1, 5000)] * 3), st.tuples(*[st.integers(1, 5000)] * 3))
def test_chunks_stay_within_the_level_and_a_brick(shape, storage):
    chunk = choose_chunk_shape(shape, storage)
    assert all(1 <= c <= n for c, n in zip(chunk, shape, strict=True))
    assert np.prod(chunk) <= (64 * 13 / 8) ** 3


def test_a_chunk_is_chosen_at_once_however_long_an_axis_is_stored_as_one_piece():
    """A count of 10¹⁵ divisors, one by one, would not end."""
    n = 10**15
    assert choose_chunk_shape((1, 1, n), (1, 1, n)) == (1, 1, 256)
