"""Arrays that tensorstore decodes: in threads, over HTTP, and refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import tensorstore as ts

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.io.location import locate
from brickfield.sources.n5.driver_array import DriverArray


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(0, 9000, (40, 50, 60)).astype("u2")


@pytest.fixture
def folder(tmp_path, volume):
    metadata = {
        "dimensions": (60, 50, 40),
        "blockSize": (16, 16, 16),
        "dataType": "uint16",
        "compression": {"type": "gzip"},
    }
    spec = {"driver": "file", "path": f"{tmp_path}/"}
    array = ts.open(
        {"driver": "n5", "kvstore": spec, "metadata": metadata}, create=True
    ).result()
    array.write(volume.T).result()
    return tmp_path


def _opened(location, folder):
    return DriverArray(
        location,
        {"driver": "n5"},
        metadata=("attributes.json", (folder / "attributes.json").read_bytes()),
        key_of=lambda _, index: "/".join(map(str, index[::-1])),
    )


def test_axes_are_reversed(folder, volume):
    array = _opened(locate(folder), folder)
    assert (array.shape, array.chunk_shape) == ((40, 50, 60), (16, 16, 16))
    read = array.read_chunk((0, 1, 2))
    assert np.array_equal(read.data, volume[:16, 16:32, 32:48])
    assert array.chunk_key((0, 1, 2)) == "2/1/0"


def test_many_threads_read_the_same_voxels(folder, volume):
    array = _opened(locate(folder), folder)
    wanted = list(np.ndindex(3, 4, 4)) * 3
    with ThreadPoolExecutor(8) as pool:
        for (z, y, x), read in zip(
            wanted, pool.map(array.read_chunk, wanted), strict=True
        ):
            part = volume[
                z * 16 : z * 16 + 16, y * 16 : y * 16 + 16, x * 16 : x * 16 + 16
            ]
            assert np.array_equal(read.data, part)


def test_over_http_404_is_missing_and_every_other_refusal_is_failed(folder):
    refusals = {"/1/0/0": 404, "/2/0/0": 403, "/3/0/0": 503}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status = refusals.get(self.path, 200)
            body = (folder / self.path[1:]).read_bytes() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        array = _opened(locate(f"http://127.0.0.1:{server.server_port}"), folder)
        size = (folder / "0/0/0").stat().st_size
        assert array.read_chunk((0, 0, 0)).stored_bytes == size
        assert array.read_chunk((0, 0, 1)).data is None
        assert array.missing_chunks(np.zeros((1, 3), int)) is None
        for index, is_transient in (((0, 0, 2), False), ((0, 0, 3), True)):
            with pytest.raises(ChunkReadError) as caught:
                array.read_chunk(index)
            assert caught.value.is_transient == is_transient
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_metadata_that_cannot_be_decoded_are_refused(folder):
    (folder / "attributes.json").write_text('{"dimensions": [1], "dataType": "odd"}')
    with pytest.raises(StoreFormatError, match="decodable"):
        _opened(locate(folder), folder)
