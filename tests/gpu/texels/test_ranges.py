"""Packed bounds never exclude a sample."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from brickfield.gpu.formats import choose_format
from brickfield.gpu.texels.padding import pad_brick
from brickfield.gpu.texels.ranges import empty_octants, pack_constant, pack_range

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "i8", "f2", "f4", "f8", "?"]


def _unpack(word, fmt):
    """What page_range in pages.wgsl does, in float32."""
    low, high = word & 0xFFFF, word >> 16
    if fmt.name.endswith("unorm"):
        return np.float32(low) / np.float32(65535), np.float32(high) / np.float32(65535)
    return tuple(
        struct.unpack("<f", struct.pack("<I", w << 16))[0] for w in (low, high)
    )


def _samples(data, fmt):
    texels = fmt.convert(data).astype(np.float32)
    depth = {"r8unorm": 255, "r16unorm": 65535}.get(fmt.name)
    return texels if depth is None else texels / np.float32(depth)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_bounds_hold_every_sample(dtype, data):
    values = data.draw(arrays(dtype, array_shapes(min_dims=3, max_dims=3, max_side=4)))
    fmt = choose_format(np.dtype(dtype))
    word, is_finite = pack_range(values, fmt)
    assert 0 <= word < 1 << 32
    samples = _samples(values, fmt)
    numbers = samples[~np.isnan(samples)]
    assert is_finite == bool(np.isfinite(samples).all())
    low, high = _unpack(word, fmt)
    if numbers.size:
        # A ulp: the texture unit divides by another road than the bounds.
        room = 2e-7 if fmt.name.endswith("unorm") else 0
        assert low <= numbers.min() + room
        assert high >= numbers.max() - room
    else:
        assert low > high


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "?"])
def test_bounds_of_up_to_16_bits_are_tight(dtype):
    fmt = choose_format(np.dtype(dtype))
    low, high = (False, True) if dtype == "?" else (3, 120)
    data = np.array([low, high], np.dtype(dtype)).reshape(1, 1, 2)
    bounds = np.array(_unpack(pack_range(data, fmt)[0], fmt), float)
    np.testing.assert_allclose(bounds * fmt.scale + fmt.offset, [low, high], atol=0.01)


def test_a_brick_of_the_lowest_value_has_nothing_above_it():
    fmt = choose_format(np.dtype("u1"))
    assert pack_range(np.zeros((2, 2, 2), "u1"), fmt)[0] == 0


@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1.0, 1e9, 1e30])
def test_bounds_of_floats_are_within_a_hundredth_at_any_magnitude(unit):
    fmt = choose_format(np.dtype("f4"))
    data = (np.array([-3.3, 7.7]) * unit).astype("f4").reshape(1, 1, 2)
    low, high = _unpack(pack_range(data, fmt)[0], fmt)
    assert low == pytest.approx(-3.3 * unit, rel=0.01)
    assert high == pytest.approx(7.7 * unit, rel=0.01)


def test_doubles_beyond_32_bits_count_as_infinite():
    fmt = choose_format(np.dtype("f8"))
    data = np.array([1.0, 1e300]).reshape(1, 1, 2)
    assert pack_range(data, fmt)[1] is False


def test_labels_tell_only_whether_there_are_any():
    fmt = choose_format(np.dtype("u2"), is_labels=True)
    assert pack_range(np.zeros((2, 2, 2), "u2"), fmt)[0] >> 16 == 0
    assert pack_range(np.full((2, 2, 2), 9, "u2"), fmt)[0] >> 16 != 0


@given(
    brick=st.tuples(*[st.integers(1, 7)] * 3),
    border=st.tuples(st.integers(0, 1), st.just(1), st.just(1)),
    spots=st.lists(st.tuples(*[st.integers(0, 8)] * 3), max_size=3),
)
def test_an_empty_octant_holds_nothing_that_sampling_in_it_can_touch(
    brick, border, spots
):
    shape = tuple(n + 2 * b for n, b in zip(brick, border, strict=True))
    data = np.full(shape, 5, np.uint8)
    for spot in spots:
        data[tuple(s % n for s, n in zip(spot, shape, strict=True))] = 9
    bits = empty_octants(data, brick, border, choose_format(data.dtype))
    if data.min() == data.max():
        assert bits == 0
        return
    for octant in range(8):
        touched = np.ones(shape, bool)
        for axis in range(3):
            half, b, n = brick[axis] // 2, border[axis], shape[axis]
            # Positions of linear sampling reach half a voxel beyond the part,
            # and a thousandth, on which rays decide where they are.
            first, last = -0.501 + b, brick[axis] - 0.499 + b
            if octant >> (2 - axis) & 1:
                first = half - 0.501 + b
            else:
                last = half - 0.499 + b
            index = np.arange(n)
            inside = (index > first - 1) & (index < last + 1)
            shaped = [1, 1, 1]
            shaped[axis] = n
            touched &= inside.reshape(shaped)
        if bits >> octant & 1:
            assert (data[touched] == data.min()).all()


def test_a_blob_in_one_corner_leaves_seven_octants_empty():
    data = np.zeros((8, 8, 8), np.uint8)
    data[1, 1, 6] = 3
    padded = pad_brick(data, (1, 1, 1), lambda _: None)
    bits = empty_octants(padded, (8, 8, 8), (1, 1, 1), choose_format(data.dtype))
    # Bit x + 2 y + 4 z.
    assert bits == 0xFF & ~(1 << 1)


def test_labels_are_empty_where_the_background_is():
    fmt = choose_format(np.dtype("u2"), is_labels=True)
    data = np.full((8, 8, 8), 7, np.uint16)
    assert empty_octants(data, (8, 8, 8), (0, 0, 0), fmt) == 0
    data[:] = 0
    data[1, 1, 1] = 7
    assert empty_octants(data, (8, 8, 8), (0, 0, 0), fmt) == 0xFE


def test_what_is_no_number_is_not_empty():
    data = np.zeros((8, 8, 8), np.float32)
    data[0, 0, 0] = np.nan
    fmt = choose_format(data.dtype)
    assert not empty_octants(data, (8, 8, 8), (0, 0, 0), fmt) & 1


@given(st.floats(-1e6, 1e6, width=32))
def test_a_constant_is_its_sample_s_bits(value):
    fmt = choose_format(np.dtype("f4"))
    word = pack_constant(value, fmt)
    assert struct.unpack("<f", struct.pack("<I", word))[0] == np.float32(value)


@pytest.mark.parametrize(
    ("dtype", "value"), [("u1", 200), ("i1", -3), ("i4", -70000), ("u8", (1 << 50) + 3)]
)
def test_a_constant_label_is_what_a_voxel_of_it_would_be(dtype, value):
    fmt = choose_format(np.dtype(dtype), is_labels=True)
    voxel = fmt.convert(np.array([[[value]]], dtype)).item()
    assert pack_constant(value, fmt) == voxel
