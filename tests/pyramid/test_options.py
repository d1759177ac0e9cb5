"""Options of a pyramid."""

from __future__ import annotations

import pytest

from brickfield.errors import OptionError
from brickfield.pyramid.options import PyramidOptions


@pytest.mark.parametrize(
    ("value", "zyx"),
    [
        (32, (32, 32, 32)),
        ("16,32,64", (16, 32, 64)),
        ([1, 2, 3], (1, 2, 3)),
        ("8", (8,) * 3),
    ],
)
def test_shapes_are_one_or_three_numbers(value, zyx):
    assert PyramidOptions(chunk_shape=value).chunk_zyx == zyx


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"version": "0.3"}, "version out of 0.4, 0.5"),
        ({"compressor": "lz5"}, "compressor out of"),
        ({"method": "max"}, "method out of"),
        ({"levels": 0}, "at least 1 level"),
        ({"workers": 0}, "at least 1 worker"),
        ({"factors": "1"}, "above 1"),
        ({"factors": "2,2"}, "Z,Y,X"),
        ({"chunk_shape": "a"}, "Z,Y,X"),
        ({"shard_shape": 100}, "multiple of the chunk"),
        ({"shard_shape": 128, "version": "0.4"}, "no shards in OME-Zarr 0.4"),
        ({"budget": "lots"}, "512 MiB"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(options, sentence):
    with pytest.raises(OptionError, match=sentence):
        PyramidOptions(**options)
