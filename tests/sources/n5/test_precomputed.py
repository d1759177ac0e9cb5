"""Neuroglancer precomputed: encodings, shards, offsets and refusals."""

from __future__ import annotations

import json
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import tensorstore as ts

from brickfield.errors import ChunkReadError, StoreFormatError, StoreNotFoundError
from brickfield.sources.n5.precomputed import matches, open_source
from brickfield.sources.protocol import ChunkSource

SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 2,
    "hash": "identity",
    "minishard_bits": 0,
    "shard_bits": 2,
    "data_encoding": "gzip",
}


def _write(folder, *, encoding="raw", dtype="uint16", kind="image", **scale):
    """Write two scales of (x, y, z, channel) voxels; return what was written."""
    written = []
    for level in range(2):
        f = 1 << level
        spec = {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{folder}/"},
            "multiscale_metadata": {
                "type": kind,
                "data_type": dtype,
                "num_channels": 1,
            },
            "scale_metadata": {
                "size": [60 // f, 50 // f, 40 // f],
                "resolution": [4 * f, 5 * f, 40],
                "voxel_offset": [20 // f, 10 // f, 0],
                "chunk_size": [32, 32, 16],
                "encoding": encoding,
                **scale,
            },
        }
        array = ts.open(spec, create=True).result()
        data = np.random.default_rng(level).integers(1, 200, array.shape).astype(dtype)
        array.write(data).result()
        written.append(array.read().result())
    return written


@pytest.mark.parametrize(
    ("options", "is_labels"),
    [
        ({}, False),
        ({"encoding": "png"}, False),
        ({"encoding": "jpeg", "dtype": "uint8"}, False),
        ({"sharding": SHARDING}, False),
        (
            {
                "encoding": "compressed_segmentation",
                "dtype": "uint64",
                "kind": "segmentation",
                "compressed_segmentation_block_size": [8, 8, 8],
            },
            True,
        ),
    ],
    ids=["raw", "png", "jpeg", "sharded", "segmentation"],
)
def test_every_encoding_gives_its_voxels(tmp_path, options, is_labels, read_level):
    written = _write(tmp_path, **options)
    source = open_source(f"precomputed://{tmp_path}")
    assert isinstance(source, ChunkSource)
    for level, voxels in enumerate(written):
        assert np.array_equal(read_level(source, level), voxels.T)
    assert source.info.is_labels == is_labels


def test_geometry_is_in_nanometres_with_centres_half_a_voxel_in(tmp_path):
    _write(tmp_path)
    pyramid = open_source(str(tmp_path)).info.pyramid
    fine, coarse = pyramid.levels
    assert "".join(a.name for a in pyramid.axes) == "czyx"
    assert pyramid.unit == "nanometer"
    assert fine.voxel_size_zyx == (40, 5, 4)
    assert fine.translation_zyx == (20, 10.5 * 5, 20.5 * 4)
    assert coarse.translation_zyx == (20, 5.5 * 10, 10.5 * 8)


def test_scales_in_another_order_are_sorted_with_a_finding(tmp_path, read_level):
    written = _write(tmp_path)
    about = json.loads((tmp_path / "info").read_text())
    about["scales"].reverse()
    (tmp_path / "info").write_text(json.dumps(about))
    source = open_source(str(tmp_path))
    assert np.array_equal(read_level(source, 0), written[0].T)
    assert [f.code for f in source.info.findings] == ["levels-reordered"]


def test_missing_and_corrupt_chunks_are_told_apart(tmp_path):
    _write(tmp_path, encoding="png")
    first, second = sorted((tmp_path / "4_5_40").iterdir())[:2]
    first.unlink()
    second.write_bytes(b"no picture")
    source = open_source(str(tmp_path))
    ends = {}
    for index in np.ndindex(1, 3, 2, 2):
        try:
            ends[source.storage_key(0, index)] = source.read_storage_chunk(0, index)
        except ChunkReadError as error:
            ends[error.key] = error
    assert ends[f"4_5_40/{first.name}"].data is None
    assert isinstance(ends[f"4_5_40/{second.name}"], ChunkReadError)


def test_over_http_bytes_are_counted_and_absent_chunks_are_missing(
    tmp_path, read_level
):
    written = _write(tmp_path)
    chunk = next((tmp_path / "8_10_40").iterdir())

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        source = open_source(f"precomputed://http://127.0.0.1:{server.server_port}")
        assert source.is_remote
        assert np.array_equal(read_level(source, 0), written[0].T)
        read = source.read_storage_chunk(0, (0, 0, 0, 0))
        assert read.stored_bytes == read.data.nbytes
        chunk.unlink()
        ends = [source.read_storage_chunk(1, (0, z, 0, 0)).data for z in range(2)]
        assert sum(data is None for data in ends) <= 1
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"type": "skeleton"}', "segmentation"),
        ('{"type": "image", "scales": []}', "at least one"),
        (
            '{"type": "image", "scales": [{"key": "a", "size": [1, 2, 3]}]}',
            "resolution",
        ),
        (
            '{"type": "image", "data_type": "uint8", "num_channels": 1, "scales": [{"key":'
            '"a", "size": [9, 9, 9], "resolution": [1, 1, 1], "encoding": "odd",'
            '"chunk_sizes": [[8, 8, 8]]}]}',
            "decodable",
        ),
    ],
)
def test_a_bad_info_file_is_refused_with_a_sentence(tmp_path, text, sentence):
    (tmp_path / "info").write_text(text)
    with pytest.raises(StoreFormatError, match=sentence):
        open_source(str(tmp_path))


def test_a_place_without_info_is_not_found(tmp_path):
    with pytest.raises(StoreNotFoundError, match="info"):
        open_source(str(tmp_path))


def test_a_prefix_or_an_info_file_matches(tmp_path):
    assert matches("precomputed://gs://bucket/volume")
    assert not matches(str(tmp_path))
    _write(tmp_path)
    assert matches(str(tmp_path))
    assert matches(str(tmp_path / "info"))


def _gz_volume(folder, data):
    import json

    x, y, z = data.shape[::-1]
    (folder / "1").mkdir()
    scale = {"key": "1", "size": [x, y, z], "resolution": [4, 4, 40]}
    scale |= {"chunk_sizes": [[x, y, z]], "encoding": "raw", "voxel_offset": [0, 0, 0]}
    about = {"type": "image", "data_type": "uint8", "num_channels": 1}
    (folder / "info").write_text(json.dumps({**about, "scales": [scale]}))
    return folder / "1" / f"0-{x}_0-{y}_0-{z}.gz"


def test_chunks_that_are_gzip_files_are_read(tmp_path):
    import gzip

    data = np.random.default_rng(0).integers(0, 255, (4, 6, 8)).astype("u1")
    file = _gz_volume(tmp_path, data)
    file.write_bytes(gzip.compress(data.tobytes()))
    source = open_source(str(tmp_path))
    assert np.array_equal(source.read_storage_chunk(0, (0, 0, 0, 0)).data[0], data)
    assert not source.missing_chunks(0, np.zeros((1, 4), np.int64)).any()
    file.write_bytes(gzip.compress(bytes(64 << 20)))
    with pytest.raises(ChunkReadError, match="larger than the chunk's voxels"):
        source.read_storage_chunk(0, (0, 0, 0, 0))
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(ChunkReadError, match="truncated"):
        source.read_storage_chunk(0, (0, 0, 0, 0))


def test_a_scale_without_any_chunk_is_a_finding(tmp_path):
    _gz_volume(tmp_path, np.zeros((4, 6, 8), "u1"))
    found = open_source(str(tmp_path)).info.findings
    assert [f.code for f in found] == ["no-chunks"]
