"""Pictures compared with numpy, value by value."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf

AXES = {"z": 0, "y": 1, "x": 2}
REDUCE = {"mip": np.max, "minip": np.min, "average": np.mean}


def expected(data, axis, mode, contrast):
    """Return what the contract says: round(255 · clip((v - lo) / (hi - lo), 0, 1))."""
    low, high = contrast
    v = REDUCE[mode](data.astype(np.float64), axis=AXES[axis])
    return np.round(255 * np.clip((v - low) / (high - low), 0, 1))


def drawn(data, axis, mode, contrast, **options):
    """Draw one pixel a voxel; return the gray values."""
    rows, columns = np.delete(data.shape, AXES[axis])
    result = bf.render(
        bf.open_store(data),
        size=(int(columns), int(rows)),
        camera=f"ortho:{axis}",
        mode=mode,
        level=0,
        contrast=contrast,
        colormap="gray",
        **options,
    )
    assert result.receipt.complete
    return result.image[..., 0].astype(float)


@pytest.mark.gpu
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("mode", REDUCE)
def test_a_picture_of_bytes_is_what_numpy_says(adapter, volume, axis, mode):
    """Of 8 bits nothing is off by one, ties of an average included."""
    found = drawn(volume, axis, mode, (0, 255))

    np.testing.assert_array_equal(found, expected(volume, axis, mode, (0, 255)))


@pytest.mark.gpu
@pytest.mark.parametrize("contrast", [(0, 50), (0, 250), (10, 110), (20, 220)])
def test_a_value_halfway_between_two_grays_takes_the_even_one(adapter, contrast):
    """As numpy and Python round."""
    data = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)

    found = drawn(data, "z", "mip", contrast)

    np.testing.assert_array_equal(found, expected(data, "z", "mip", contrast))


@pytest.mark.gpu
@pytest.mark.parametrize(
    "kind", ["?", "i1", "u2", ">i2", "u4", "i8", "f2", ">f4", "f8"]
)
def test_every_type_of_number_is_drawn_to_one_gray(adapter, kind):
    """Also big-endian numbers, negative ones and those wider than the GPU's."""
    rng = np.random.default_rng(3)
    dtype = np.dtype(kind)
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        native = dtype.newbyteorder("=")
        data = rng.integers(ends.min, ends.max, (6, 20, 13), native).astype(dtype)
    else:
        data = (100 * rng.normal(size=(6, 20, 13))).astype(dtype)
    wide = data.astype(np.float64)
    contrast = (wide.min(), max(wide.max(), wide.min() + 1))

    for mode in REDUCE:
        found = drawn(data, "y", mode, contrast)
        assert np.abs(found - expected(wide, "y", mode, contrast)).max() <= 1


@pytest.mark.gpu
def test_a_camera_given_by_numbers_sees_what_ortho_z_sees(adapter, volume):
    """From smaller z, up to smaller y, as high as the volume."""
    store = bf.open_store(volume)
    z, y, x = ((n - 1) / 2 for n in volume.shape)
    camera = {
        "position": [-100, y, x],
        "target": [z, y, x],
        "up": [0, -1, 0],
        "orthographic": True,
        "height": volume.shape[1],
    }

    result = bf.render(
        store,
        size=(volume.shape[2], volume.shape[1]),
        camera=camera,
        level=0,
        contrast=(0, 255),
        colormap="gray",
    )

    wanted = expected(volume, "z", "mip", (0, 255))
    np.testing.assert_array_equal(result.image[..., 0], wanted)
