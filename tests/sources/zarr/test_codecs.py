"""Codecs are understood in the spellings of other programs."""

import json

import numpy as np
import pytest
from numcodecs import LZ4, Blosc
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

from brickfield.sources.open import open_source
from brickfield.sources.zarr.codecs import tidy_compressor
from brickfield.testing.zarr_stores import ramp, write_array, write_image

VOLUME = ramp((12, 20, 28))
ODD = {"nthreads": 1, "typesize": 2, "numThreads": 4, "level": -7, "clevel": 99}


def spoil(value):
    """Give every compressor members that only an encoder knows."""
    if isinstance(value, list):
        return [spoil(v) for v in value]
    if not isinstance(value, dict):
        return value
    value = {k: spoil(v) for k, v in value.items()}
    if value.get("name") in ("blosc", "gzip", "zstd"):
        value["configuration"] = {**value.get("configuration", {}), **ODD}
    if value.get("id") in ("blosc", "zlib", "gzip", "zstd", "bz2"):
        value.update(ODD)
    return value


def rewrite(path):
    path.write_text(json.dumps(spoil(json.loads(path.read_text()))))


def read(source):
    shape = source.info.pyramid.levels[0].storage_chunk_shape
    out = np.zeros(source.info.pyramid.levels[0].shape, source.info.pyramid.dtype)
    grid = [-(-n // c) for n, c in zip(out.shape, shape, strict=True)]
    for index in np.ndindex(*grid):
        data = source.read_storage_chunk(0, index).data
        at = tuple(
            slice(i * c, i * c + n)
            for i, c, n in zip(index, shape, data.shape, strict=True)
        )
        out[at] = data
    return out


@pytest.mark.parametrize("shards", [None, (12, 20, 28)], ids=["plain", "sharded"])
@pytest.mark.parametrize(
    "codec",
    [BloscCodec(cname="lz4"), GzipCodec(), ZstdCodec()],
    ids=lambda c: str(c)[:5],
)
def test_members_that_only_an_encoder_knows_do_not_matter_in_v3(
    tmp_path, codec, shards
):
    image = write_image(
        tmp_path / "a.zarr",
        [VOLUME],
        zarr_format=3,
        chunks=(6, 10, 14),
        compressors=[codec],
        shards=shards,
    )
    rewrite(image / "0" / "zarr.json")
    source = open_source(image)
    np.testing.assert_array_equal(read(source), VOLUME)
    assert source.info.findings == ()


@pytest.mark.parametrize("name", ["blosc", "zlib", "gzip", "zstd", "bz2"])
def test_members_that_only_an_encoder_knows_do_not_matter_in_v2(tmp_path, name):
    import numcodecs

    codec = numcodecs.get_codec({"id": name})
    image = write_image(tmp_path / "a.zarr", [VOLUME], compressors=codec)
    rewrite(image / "0" / ".zarray")
    np.testing.assert_array_equal(read(open_source(image)), VOLUME)


def test_they_do_not_matter_to_the_decoder_of_other_codecs_either(tmp_path):
    """Filters make an array one of zarr-python's; its compressor is cleaned too."""
    image = write_image(
        tmp_path / "a.zarr", [VOLUME], filters=[LZ4()], compressors=Blosc("lz4")
    )
    rewrite(image / "0" / ".zarray")
    np.testing.assert_array_equal(read(open_source(image)), VOLUME)


@pytest.mark.parametrize(
    "value", [None, {"type": "raw"}, {"id": "raw"}, {"id": "null"}]
)
def test_no_compressor_is_known_in_every_spelling(tmp_path, value):
    assert tidy_compressor(value) == (None, True)
    write_array(tmp_path / "a.zarr", VOLUME, compressors=None)
    path = tmp_path / "a.zarr" / ".zarray"
    path.write_text(json.dumps({**json.loads(path.read_text()), "compressor": value}))
    np.testing.assert_array_equal(read(open_source(path.parent)), VOLUME)
