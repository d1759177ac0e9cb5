"""Converted voxels never wrap."""

import numpy as np
import pytest

from brickfield.sources.arrays.cast import cast
from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import ramp, write_array, write_image

CASES = [
    (np.array([1.4, 1.6, -3.0, 300.0, np.nan, np.inf, -np.inf]), "u1"),
    (np.array([-200, 5, 200], "i4"), "i1"),
    (np.array([2**63], "u8"), "i8"),
    (np.array([1e30, -1e30]), "i8"),
    (np.array([1e30, -1e30]), "u8"),
    (np.array([True, False]), "u2"),
    (np.array([0, 3], "u2"), "?"),
    (np.array([1, 2], "i4"), "f4"),
]


def exact(value, dtype):
    """The nearest number of a type, in Python's own arithmetic."""
    kind = np.dtype(dtype)
    if kind.kind in "bf":
        return kind.type(value)
    limits = np.iinfo(kind)
    if np.isnan(value):
        return 0
    if np.isinf(value):
        return limits.max if value > 0 else limits.min
    return min(max(round(value.item()), limits.min), limits.max)


@pytest.mark.parametrize(("values", "dtype"), CASES)
def test_no_value_wraps(values, dtype):
    found = cast(values, np.dtype(dtype))
    assert found.dtype == dtype
    for value, got in zip(values, found, strict=True):
        # A 64-bit limit is no float: the nearest float inside is as good.
        assert got == pytest.approx(exact(value, dtype), rel=1e-15)


def test_a_float_level_is_given_out_like_the_finest(tmp_path, read_level):
    data = ramp((8, 8, 8), "u2")
    mean = data.reshape(4, 2, 4, 2, 4, 2).mean(axis=(1, 3, 5))
    write_image(tmp_path / "a.zarr", [data, data[::2, ::2, ::2]])
    write_array(tmp_path / "a.zarr" / "1", mean)
    source = open_source(tmp_path / "a.zarr")
    assert [f.code for f in source.info.findings] == ["level-dtype"]
    assert source.info.pyramid.levels[1].dtype == np.uint16
    np.testing.assert_array_equal(read_level(source, 1), np.rint(mean))
