"""Undoing filters equals what the HDF5 library does, and forged bytes are refused."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.sources.hdf5.filters import DEFLATE, SHUFFLE, decode, is_understood


def _shuffled(data, itemsize):
    return b"".join(data[i::itemsize] for i in range(itemsize))


@given(st.integers(1, 8), st.binary(min_size=1, max_size=200), st.integers(0, 3))
def test_decode_undoes_shuffle_and_deflate_unless_masked(itemsize, unit, mask):
    plain = unit * itemsize
    stored = plain
    if not mask & 1:
        stored = _shuffled(stored, itemsize)
    if not mask & 2:
        stored = zlib.compress(stored)
    codes = [SHUFFLE, DEFLATE]
    assert (
        decode(stored, codes=codes, mask=mask, itemsize=itemsize, size=len(plain))
        == plain
    )


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"garbage that is no zlib", id="garbage"),
        pytest.param(zlib.compress(np.arange(999.0).tobytes())[:-40], id="truncated"),
        pytest.param(zlib.compress(b"short"), id="too-few-voxels"),
        pytest.param(zlib.compress(bytes(10_000_000)), id="far-too-many-voxels"),
    ],
)
def test_corrupt_bytes_are_refused(stored):
    with pytest.raises(ValueError, match=r"corrupt|expected"):
        decode(stored, codes=[DEFLATE], mask=0, itemsize=8, size=999 * 8)


def test_other_filters_are_left_to_the_library():
    assert is_understood([])
    assert is_understood([SHUFFLE, DEFLATE])
    assert not is_understood([SHUFFLE, 32001])
