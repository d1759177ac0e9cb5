"""What is uploaded turns back into the values of the file."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brickfield.errors import OptionError
from brickfield.gpu.formats import choose_format

NUMBERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "?"]
DEPTHS = {"r8unorm": 255, "r16unorm": 65535}


def _sampled(data, fmt):
    """What a texture unit makes of uploaded bytes, in float32."""
    texels = fmt.convert(data)
    assert texels.dtype == fmt.upload_dtype
    assert texels.flags.c_contiguous
    return texels.astype(np.float32) / np.float32(DEPTHS.get(fmt.name, 1))


def _all_values(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    info = np.iinfo(dtype)
    return np.arange(info.min, info.max + 1).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "?"])
@pytest.mark.parametrize("has_norm16", [True, False])
def test_up_to_16_bits_every_value_is_exact(dtype, has_norm16):
    fmt = choose_format(np.dtype(dtype), has_norm16=has_norm16)
    values = _all_values(dtype)
    back = _sampled(values, fmt).astype(np.float64) * fmt.scale + fmt.offset
    np.testing.assert_array_equal(np.rint(back), values.astype(float))


@pytest.mark.parametrize("dtype", ["u4", "i4", "u8", "i8", "f4", "f8", "f2"])
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_wider_types_keep_what_32_bits_can_hold(dtype, data):
    elements = (
        {"allow_nan": False, "allow_infinity": False} if dtype[0] == "f" else None
    )
    values = data.draw(arrays(dtype, (2, 3, 4), elements=elements))
    fmt = choose_format(np.dtype(dtype))
    back = _sampled(values, fmt) * np.float32(fmt.scale) + np.float32(fmt.offset)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(back, values.astype(np.float32))


@pytest.mark.parametrize("dtype", NUMBERS)
def test_no_type_takes_more_bytes_than_in_the_file(dtype):
    dtype = np.dtype(dtype)
    assert choose_format(dtype).itemsize <= dtype.itemsize
    if dtype.kind in "iub":
        assert choose_format(dtype, is_labels=True).itemsize <= dtype.itemsize


@pytest.mark.parametrize("dtype", NUMBERS)
@given(value=st.floats(-1000, 1000))
def test_a_value_and_its_sample_are_the_same_number(dtype, value):
    fmt = choose_format(np.dtype(dtype))
    assert fmt.to_sample(value) * fmt.scale + fmt.offset == pytest.approx(
        value, abs=1e-9
    )


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "?"])
@given(data=st.data())
def test_labels_up_to_32_bits_keep_their_bits(dtype, data):
    values = data.draw(arrays(dtype, (2, 3, 4)))
    texels = choose_format(np.dtype(dtype), is_labels=True).convert(values)
    assert texels.dtype.kind == "u"
    assert texels.tobytes() == np.ascontiguousarray(values).tobytes()


@given(arrays("u8", 60, elements=st.integers(1, 2**63), unique=True))
def test_64_bit_labels_fold_to_32_bits_without_touching_the_background(values):
    fmt = choose_format(np.dtype("u8"), is_labels=True)
    texels = fmt.convert(values.reshape(3, 4, 5))
    assert texels.dtype == np.uint32
    assert fmt.convert(np.zeros((1, 1, 1), "u8")).item() == 0
    small = values[values < 2**32]
    np.testing.assert_array_equal(
        fmt.convert(small.reshape(1, 1, -1)).ravel(), small.astype(np.uint32)
    )


def test_neighbouring_64_bit_labels_stay_distinct():
    fmt = choose_format(np.dtype("u8"), is_labels=True)
    start = np.uint64(0x1234_5678_9ABC_0000)
    values = (start + np.arange(10_000, dtype=np.uint64)).reshape(10, 10, 100)
    assert len(np.unique(fmt.convert(values))) == 10_000


def test_only_floats_may_hold_what_is_no_number():
    for dtype in NUMBERS:
        expected = np.dtype(dtype).kind == "f"
        assert choose_format(np.dtype(dtype)).may_be_nonfinite == expected


@pytest.mark.parametrize("dtype", ["c8", "S3", "M8[s]", "O"])
def test_other_types_are_refused_with_advice(dtype):
    with pytest.raises(OptionError, match="expected voxels of a real number type"):
        choose_format(np.dtype(dtype))


@pytest.mark.parametrize(
    ("dtype", "low", "span"),
    [
        ("u4", 2**31, 200),
        ("i4", -(2**31) + 7, 250),
        ("u8", 2**52, 500),
        ("i8", -(2**52), 500),
        ("f8", 1e-300, 3e-300),
        ("f8", 1e300, 2e300),
        ("f8", 1e12, 0.5),
    ],
)
def test_a_narrow_window_of_wide_numbers_is_told_apart(dtype, low, span):
    values = np.array(low + span * np.linspace(0, 1, 200), dtype)
    window = (float(values[0]), float(values[-1]))
    plain, fmt = (
        choose_format(np.dtype(dtype)),
        choose_format(np.dtype(dtype), windows=[window]),
    )
    assert not plain.resolves(window)
    assert fmt.resolves(window)
    samples = fmt.convert(values.reshape(1, 1, -1)).ravel().astype(float)
    wanted = [
        (int(v) - int(values[0])) if dtype[0] != "f" else v - values[0]
        for v in values.tolist()
    ]
    np.testing.assert_allclose(samples, np.array(wanted, float) / wanted[-1], atol=1e-6)
    low_sample, high_sample = (fmt.to_sample(v) for v in window)
    assert (low_sample, high_sample) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize("dtype", NUMBERS)
def test_an_ordinary_window_leaves_the_format_as_it_is(dtype):
    plain = choose_format(np.dtype(dtype))
    for window in ((0.0, 1.0), (5.0, 5.0), (-100.0, 4000.0), (60000.0, 60100.0)):
        assert choose_format(np.dtype(dtype), windows=[window]) == plain


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(0, 2**52)
)
def test_what_lies_outside_of_the_window_stays_below_or_above(values, low):
    fmt = replace(choose_format(np.dtype("u8")), offset=float(low), scale=100.0)
    kept = np.array([v for v in values if v < 2**63] or [low], np.uint64)
    samples = fmt.convert(kept.reshape(1, 1, -1)).ravel()
    below = np.array([int(v) < low for v in kept])
    assert (samples[below] <= 0).all()
    assert (samples[~below] >= 0).all()
