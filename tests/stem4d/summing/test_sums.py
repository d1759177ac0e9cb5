"""Sums and extremes of patterns: exact for whole numbers, the same whichever way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.stem4d.summing import sums
from brickfield.stem4d.summing.pieces import native
from brickfield.stem4d.summing.sums import BlockSums, column_sums, largest, row_sums

NAMES = ("rows", "columns", "scan", "sum", "squares", "max", "min")


@pytest.fixture(params=["loops", "numpy"])
def way(request, monkeypatch):
    """Either way: the loops that numba compiles (here run as they are, unless it is
    installed), and numpy."""
    monkeypatch.setattr(sums, "has_numba", lambda: request.param == "loops")
    return request.param


def expected(patterns):
    """The same by numpy in 64 bits."""
    wide = patterns.astype("f8" if patterns.dtype.kind == "f" else "i8")
    return {
        "rows": wide.sum(2),
        "columns": wide.sum(1),
        "scan": wide.sum((1, 2)),
        "sum": wide.sum(0),
        "squares": (wide * wide).sum(0),
        "max": patterns.max(0),
        "min": patterns.min(0),
    }


def compare(found, patterns):
    for name, right in expected(patterns).items():
        if patterns.dtype.kind == "f" or name == "squares":
            np.testing.assert_allclose(found[name].astype("f8"), right, rtol=1e-12)
        else:
            np.testing.assert_array_equal(found[name], right, err_msg=name)


@pytest.mark.parametrize(
    "kind", ["u1", "<u2", ">u2", "<i2", ">u4", "<i4", "<f4", ">f8"]
)
@pytest.mark.parametrize("bits", [1, 6, 12, 16])
def test_sums_are_those_of_numpy_whatever_the_type(way, kind, bits):
    most = min(2**bits - 1, 127 if kind == "u1" else 32767)
    shape = (5, 12, 16)
    patterns = np.random.default_rng(bits).integers(0, most + 1, shape).astype(kind)
    compare(BlockSums.of(patterns, NAMES), patterns)


@pytest.mark.parametrize("shape", [(3, 256, 32), (4, 7, 5), (1, 1, 1), (300, 2, 3)])
@pytest.mark.parametrize("kind", ["u1", ">u2"])
def test_the_largest_values_do_not_overflow(way, shape, kind):
    patterns = np.full(shape, np.iinfo(kind).max, kind)
    compare(BlockSums.of(patterns, NAMES), patterns)


def test_each_sum_can_be_asked_for_alone(way):
    patterns = np.random.default_rng(1).integers(0, 99, (6, 8, 10)).astype(">u2")
    for name in NAMES:
        found = BlockSums.of(patterns, (name,))
        np.testing.assert_array_equal(found[name], expected(patterns)[name])
        assert set(found) == {name}


def test_patterns_with_something_between_them_are_summed_without_it(way):
    """As frames with a header in front of each are read."""
    stored = np.full((5, 7 + 6 * 8), 0xFFFF, ">u2")
    patterns = stored[:, 7:].reshape(5, 6, 8)
    patterns[...] = np.arange(5 * 48).reshape(5, 6, 8)
    assert patterns.base is not None
    compare(BlockSums.of(patterns, NAMES), patterns)


def test_many_pieces_come_to_the_same_as_one(way, monkeypatch):
    patterns = np.random.default_rng(2).integers(0, 4096, (23, 6, 8)).astype(">u2")
    monkeypatch.setattr("brickfield.stem4d.summing.pieces.PIECE_BYTES", 4 * 6 * 8 * 2)
    compare(BlockSums.of(patterns, NAMES), patterns)


def test_sums_of_blocks_have_room_for_those_of_a_whole_scan(way):
    patterns = np.full((4, 6, 8), 0xFFFF, ">u2")
    found = BlockSums.of(patterns, ("sum", "scan"))
    assert found["sum"].dtype == found["scan"].dtype == np.uint64


@given(
    st.sampled_from(["u1", "<u2"]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 65535),
)
def test_rows_and_columns_are_exact_at_any_bound(kind, rows, columns, most):
    most = min(most, np.iinfo(kind).max)
    rng = np.random.default_rng(rows * columns)
    piece = rng.integers(0, most + 1, (3, rows, columns)).astype(kind)
    bound = largest(piece)
    np.testing.assert_array_equal(row_sums(piece, bound), piece.sum(2, dtype="u8"))
    np.testing.assert_array_equal(column_sums(piece, bound), piece.sum(1, dtype="u8"))


def test_native_patterns_are_not_copied():
    patterns = np.zeros((2, 3, 4), "<u2")
    assert native(patterns) is patterns
    assert native(patterns.astype(">u2")).dtype.isnative


@pytest.mark.parametrize("n", [1, 3, 4, 11])
def test_sums_do_not_depend_on_how_many_patterns_are_summed_together(
    way, monkeypatch, n
):
    monkeypatch.setattr(sums, "AT_ONCE_BYTES", 1)
    patterns = np.random.default_rng(n).integers(0, 900, (n, 5, 8)).astype(">u2")
    compare(BlockSums.of(patterns, NAMES), patterns)
