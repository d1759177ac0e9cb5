"""Every level is drawn to its own outer faces: pictures against plain numpy.

The levels hold random voxels that have nothing to do with each other, so that a voxel
of another level, or of another place, cannot go unnoticed.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickfield as bf
from brickfield.testing.zarr_stores import image_attributes, write_array, write_group

pytestmark = pytest.mark.gpu
AXES = {"z": 0, "y": 1, "x": 2}
REDUCE = {"mip": np.max, "minip": np.min, "average": np.mean}


def levels_of(shape, n_levels, seed=0):
    """Random levels of a pyramid in which 2³ voxels, or those there are, become one."""
    rng = np.random.default_rng(seed)
    shapes = [[ceil(n / 2**k) for n in shape] for k in range(n_levels)]
    return [rng.integers(1, 255, s, dtype=np.uint8) for s in shapes]


def write_levels(folder, levels, *, shifts=None, chunk=16):
    """Write levels that begin at the same outer face, or at the given places."""
    scales = [(2.0**k,) * 3 for k in range(len(levels))]
    shifts = shifts or [((2.0**k - 1) / 2,) * 3 for k in range(len(levels))]
    write_group(folder, image_attributes("zyx", scales, translations=shifts))
    for k, level in enumerate(levels):
        write_array(
            folder / str(k), level, chunks=tuple(min(chunk, n) for n in level.shape)
        )
    return folder


def drawn(folder, **options):
    """Draw gray values without the colours between them; nothing may be missing."""
    options = {"contrast": (0, 255), "colormap": "gray", **options}
    store = bf.open_store(folder)
    try:
        result = bf.render(store, **options)
    finally:
        store.close()
    assert result.receipt.complete
    assert result.receipt.pixels["at_target"] == 1.0
    return result.image[..., 0].astype(float)


def reduced(level, axis, mode):
    """What numpy sees of a level along an axis."""
    return np.round(REDUCE[mode](level.astype(np.float64), axis=AXES[axis]))


def spread(picture, shape, factor):
    """Repeat pixels as often as voxels of level 0 have become one."""
    rows, columns = (np.arange(n) // factor for n in shape)
    return picture[np.ix_(rows, columns)]


@pytest.mark.usefixtures("adapter")
@settings(max_examples=6, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 70)] * 3),
    n_levels=st.integers(1, 8),
    mode=st.sampled_from(sorted(REDUCE)),
    data=st.data(),
)
def test_every_level_is_what_numpy_says_from_every_side(
    tmp_path_factory, shape, n_levels, mode, data
):
    """One pixel a voxel, of the level or of level 0: 8 bits are equal."""
    levels = levels_of(shape, n_levels)
    folder = write_levels(tmp_path_factory.mktemp("a") / "a.zarr", levels)
    level = data.draw(st.integers(0, n_levels - 1))
    axis = data.draw(st.sampled_from(sorted(AXES)))
    expected = reduced(levels[level], axis, mode)
    own = np.delete(levels[level].shape, AXES[axis]).tolist()
    full = np.delete(shape, AXES[axis]).tolist()
    look = {"mode": mode, "level": level, "camera": f"ortho:{axis}"}
    found = drawn(folder, size=tuple(own[::-1]), **look)
    np.testing.assert_array_equal(found, expected)
    found = drawn(folder, size=tuple(full[::-1]), interpolation="nearest", **look)
    np.testing.assert_array_equal(found, spread(expected, full, 2**level))


@pytest.fixture
def bright_end(tmp_path):
    """Mean levels of dark voxels whose last slice, z, is bright in the middle."""
    data = np.full((33, 64, 64), 10, np.uint8)
    data[32, 16:48, 16:48] = 200
    levels = [data]
    for _ in range(2):
        padded = np.pad(levels[-1], [(0, n % 2) for n in levels[-1].shape], "edge")
        z, y, x = (n // 2 for n in padded.shape)
        means = padded.reshape(z, 2, y, 2, x, 2).mean(axis=(1, 3, 5))
        levels.append(np.round(means).astype(np.uint8))
    return write_levels(tmp_path / "bright.zarr", levels)


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("at", [-100, 100])
def test_the_last_slice_is_seen_at_a_coarse_level_from_both_sides(
    bright_end, level, at
):
    """It lies in a voxel whose centre is on the face of level 0 or beyond it."""
    camera = {"position": [at, 31.5, 31.5], "target": [16, 31.5, 31.5]}
    camera |= {"up": [0, -1, 0], "orthographic": True, "height": 64}
    found = drawn(bright_end, camera=camera, size=(64, 64), mode="mip", level=level)
    inner = found[20:44, 20:44]
    assert (inner == 200).all()
    assert np.count_nonzero(found > 150) == pytest.approx(32 * 32, rel=0.15)


@pytest.mark.usefixtures("adapter")
def test_the_last_slice_is_seen_at_the_automatic_level(bright_end):
    """Of 64 x 64 voxels a picture of 32 x 32 pixels shows level 1."""
    found = drawn(bright_end, camera="ortho:z", size=(32, 32), mode="mip")
    assert np.count_nonzero(found == 200) == 16 * 16


@pytest.mark.usefixtures("adapter")
def test_a_level_of_one_voxel_is_drawn(tmp_path):
    folder = write_levels(tmp_path / "a.zarr", levels_of((69, 19, 19), 8))
    found = drawn(folder, camera="ortho:z", size=(19, 19), mode="mip", level=7)
    assert (found == levels_of((69, 19, 19), 8)[7].item()).all()


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize("shift", [-25.0, 0.0, 0.5, 8.0, 70.0])
def test_a_level_lies_where_its_translation_says(tmp_path, shift):
    """Also chunks that lie wholly beyond the box of level 0 are read and drawn."""
    levels = levels_of((33, 40, 37), 2)
    shifts = [(0.0,) * 3, (shift,) * 3]
    folder = write_levels(tmp_path / "a.zarr", levels, shifts=shifts, chunk=8)
    # A pixel is a unit of the world; none of them lies on a face between voxels.
    middle, n = 40.25, 160
    camera = {"position": [-200, middle, middle], "target": [0, middle, middle]}
    camera |= {"up": [0, -1, 0], "orthographic": True, "height": n}
    found = drawn(
        folder,
        camera=camera,
        size=(n, n),
        mode="mip",
        level=1,
        interpolation="nearest",
    )
    at = np.arange(n) + 0.5 - n / 2 + middle
    index = np.floor((at - shift) / 2 + 0.5).astype(int)
    seen = np.pad(levels[1].max(axis=0), 1)
    rows, columns = (np.clip(index, -1, m) + 1 for m in levels[1].shape[1:])
    np.testing.assert_array_equal(found, seen[np.ix_(rows, columns)])


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("level", [1, 3])
def test_a_slice_shows_the_voxels_of_its_level_up_to_the_last(tmp_path, axis, level):
    levels = levels_of((33, 41, 37), 4)
    folder = write_levels(tmp_path / "a.zarr", levels)
    last = (33, 41, 37)[AXES[axis]] - 1
    found = drawn(
        folder,
        slice=(axis, float(last)),
        size=tuple(np.delete(levels[level].shape, AXES[axis]).tolist()[::-1]),
        level=level,
        interpolation="nearest",
    )
    expected = np.take(levels[level], -1, axis=AXES[axis])
    np.testing.assert_array_equal(found, expected)
