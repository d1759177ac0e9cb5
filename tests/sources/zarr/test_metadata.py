"""Array metadata of both formats in one form."""

import math

import numpy as np
import pytest

from brickfield.errors import StoreFormatError
from brickfield.sources.geometry import Findings
from brickfield.sources.zarr.hierarchy import ZarrNode
from brickfield.sources.zarr.metadata import parse_array

V2 = {
    "zarr_format": 2,
    "shape": [5, 6],
    "chunks": [2, 3],
    "dtype": "<u2",
    "compressor": None,
    "fill_value": 0,
    "order": "C",
    "filters": None,
}
BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
CRC = {"name": "crc32c"}
V3 = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [8, 8],
    "data_type": "uint16",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 4]}},
    "chunk_key_encoding": {"name": "default"},
    "fill_value": 0,
    "codecs": [BYTES],
}


def parse(document, findings=None):
    node = ZarrNode("a", "array", document["zarr_format"], {}, document)
    return parse_array(node, Findings() if findings is None else findings)


def sharding(inner, **options):
    configuration = {
        "chunk_shape": inner,
        "codecs": [BYTES],
        "index_codecs": [BYTES, CRC],
    }
    return [{"name": "sharding_indexed", "configuration": {**configuration, **options}}]


@pytest.mark.parametrize(
    ("document", "index", "key"),
    [
        (V2, (1, 2), "1.2"),
        ({**V2, "dimension_separator": "/"}, (1, 2), "1/2"),
        (V3, (1, 2), "c/1/2"),
        (
            {
                **V3,
                "chunk_key_encoding": {
                    "name": "default",
                    "configuration": {"separator": "."},
                },
            },
            (1, 2),
            "c.1.2",
        ),
        ({**V3, "chunk_key_encoding": {"name": "v2"}}, (1, 2), "1.2"),
    ],
)
def test_chunks_have_the_names_of_the_specification(document, index, key):
    assert parse(document).file_key(index) == key


@pytest.mark.parametrize(
    ("dtype", "stored", "expected"),
    [
        ("<u2", None, 0),
        ("<u2", 7, 7),
        ("<u2", 7.0, 7),
        ("<u2", "7", 7),
        ("<f4", "NaN", math.nan),
        ("<f4", "-Infinity", -math.inf),
        ("|b1", 0, 0),
        ("|b1", True, 1),
        ("<i2", -5, -5),
    ],
)
def test_fill_values_are_read_in_every_spelling(dtype, stored, expected):
    findings = Findings()
    meta = parse({**V2, "dtype": dtype, "fill_value": stored}, findings)
    assert meta.fill_value == pytest.approx(expected, nan_ok=True)
    assert not findings.as_tuple()


@pytest.mark.parametrize("stored", [-1, 70_000, 0.5, "x", [1]])
def test_a_fill_value_that_cannot_be_is_0_with_a_finding(stored):
    findings = Findings()
    assert parse({**V2, "fill_value": stored}, findings).fill_value == 0
    assert [f.code for f in findings.as_tuple()] == ["fill-value"]


@pytest.mark.parametrize(
    "compressor",
    [
        {"id": "gzip", "level": -1},
        {"id": "zstd", "level": 3, "checksum": False},
        {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "typesize": 2},
    ],
)
def test_what_matters_to_a_writer_alone_is_put_right(compressor):
    meta = parse({**V2, "compressor": compressor, "filters": []})
    assert meta.is_native
    level = meta.metadata["compressor"].get("level", 1)
    assert 0 <= level <= 9
    assert not {"checksum", "typesize"} & set(meta.metadata["compressor"])


@pytest.mark.parametrize(
    "change",
    [{"compressor": {"id": "lz4"}}, {"filters": [{"id": "delta", "dtype": "<u2"}]}],
)
def test_foreign_codecs_are_not_native(change):
    assert not parse({**V2, **change}).is_native


def test_shards_have_two_units():
    meta = parse({**V3, "codecs": sharding([2, 4])})
    assert meta.file_shape == (4, 4)
    assert meta.chunk_shape == (2, 4)
    assert meta.shards.grid == (2, 1)
    assert meta.shards.index_bytes == 2 * 16 + 4


def test_nested_shards_are_read_without_an_index_of_ours():
    meta = parse({**V3, "codecs": sharding([2, 4], codecs=sharding([2, 2]))})
    assert meta.chunk_shape == (2, 2)
    assert meta.shards is None
    assert meta.is_sharded


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shape": [5, "x"]}, "shape"),
        ({"shape": 5}, "shape"),
        ({"chunks": [0, 3]}, "chunks"),
        ({"chunks": [2]}, "chunks"),
        ({"dtype": "|O"}, "dtype"),
        ({"dtype": "<c8"}, "dtype"),
        ({"dtype": "<U4"}, "dtype"),
        ({"dtype": [["a", "<u2"]]}, "dtype"),
        ({"dtype": "nonsense"}, "dtype"),
        ({"zarr_format": 7}, "zarr_format"),
    ],
)
def test_a_field_of_v2_that_cannot_be_used_is_named(change, field):
    node = ZarrNode("a", "array", 2, {}, {**V2, **change})
    with pytest.raises(StoreFormatError, match=field):
        parse_array(node, Findings())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"data_type": "complex64"}, "data_type"),
        ({"data_type": "string"}, "data_type"),
        ({"chunk_grid": {"name": "rectilinear"}}, "chunk_grid"),
        ({"codecs": []}, "codecs"),
        ({"codecs": [3]}, "zarr.json"),
        ({"codecs": sharding([3, 4])}, "codecs"),
    ],
)
def test_a_field_of_v3_that_cannot_be_used_is_named(change, field):
    with pytest.raises(StoreFormatError, match=field):
        parse({**V3, **change})


@pytest.mark.parametrize("name", ["shape", "chunks", "dtype"])
def test_a_field_that_is_not_there_is_named(name):
    node = ZarrNode("a", "array", 2, {}, {k: v for k, v in V2.items() if k != name})
    with pytest.raises(StoreFormatError, match=name):
        parse_array(node, Findings())


def test_big_endian_is_told_in_native_order():
    assert parse({**V2, "dtype": ">i4"}).dtype == np.dtype("=i4")
