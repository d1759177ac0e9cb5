"""Sizes in bytes are read exactly, and a block of a budget fits it and is aligned."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.blockwise.budget import block_shape, format_bytes, parse_bytes
from brickfield.errors import BudgetError, OptionError


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("512 MiB", 536870912),
        ("2 GB", 2000000000),
        ("2gb", 2000000000),
        ("1.5 KiB", 1536),
        (".5kB", 500),
        ("1 tib", 1099511627776),
        ("123", 123),
        ("7 b", 7),
        ("3G", 3000000000),
        (" 4 Mi ", 4194304),
        (42, 42),
    ],
)
def test_sizes_are_read_in_decimal_and_binary_units(text, n_bytes):
    assert parse_bytes(text) == n_bytes


def test_a_size_keeps_every_byte_of_a_petabyte():
    assert parse_bytes("9.007199254740993 PB") == 9007199254740993


@pytest.mark.parametrize("text", ["", "MiB", "-1 GB", "1 ib", "2 bananas", 0, "0", -5])
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(OptionError, match="512 MiB"):
        parse_bytes(text)


def test_sizes_are_written_for_people():
    assert [format_bytes(n) for n in (640, 1536, 2**30, 5 * 2**50)] == [
        "640 B",
        "1.5 KiB",
        "1 GiB",
        "5 PiB",
    ]


@given(
    shape=st.lists(st.integers(1, 300), min_size=1, max_size=4),
    align=st.integers(1, 64),
    budget=st.integers(1, 10**7),
    workers=st.integers(1, 4),
)
def test_a_block_is_aligned_and_fits_or_the_need_is_named(
    shape, align, budget, workers
):
    unit = (align,) * len(shape)
    try:
        block = block_shape(tuple(shape), np.uint16, budget, workers, unit)
    except BudgetError:
        smallest = prod(min(align, n) for n in shape)
        assert smallest * 2 > budget // workers
        return
    assert prod(block) * 2 * workers <= budget
    assert all(b == n or b % align == 0 for b, n in zip(block, shape, strict=True))


def test_the_last_axis_grows_first():
    # 100,000 bytes hold 1 x 10 rows of 100 eight-byte values and some more.
    assert block_shape((50, 50, 100), np.float64, 100_000) == (2, 50, 100)
    assert block_shape((50, 50, 100), np.float64, 10_000) == (1, 12, 100)
