"""Reading storage chunks through tensorstore, whole and from damaged stores."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.arrays.stored import chunk_slices
from brickfield.sources.open import open_source
from brickfield.testing import chunk_files, corrupt
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import ramp, write_array, write_image

DTYPES = ["u1", "i1", "u2", "i4", "u8", "i8", "f2", "f4", "f8", "?"]
# zarr v3 has no byte order in its types.
TYPED = [(d, n) for n in (2, 3) for d in DTYPES]
TYPED += [(d, 2) for d in (">u2", ">i4", ">f4", ">f8", ">i8")]


def grid_of(about):
    pairs = zip(about.shape, about.storage_chunk_shape, strict=True)
    return [-(-n // c) for n, c in pairs]


def read_whole(source, level=0):
    """Put a level together from its storage chunks; missing ones are the fill value."""
    about = source.info.pyramid.levels[level]
    whole = np.full(about.shape, about.fill_value, about.dtype)
    grid = grid_of(about)
    n_bytes = 0
    for index in np.ndindex(*grid):
        chunk = source.read_storage_chunk(level, index)
        n_bytes += chunk.stored_bytes
        if chunk.data is not None:
            region = chunk_slices(index, about.storage_chunk_shape, about.shape)
            assert chunk.data.dtype == about.dtype
            assert chunk.data.dtype.isnative
            whole[region] = chunk.data
    return whole, n_bytes


def all_indices(source, level=0):
    about = source.info.pyramid.levels[level]
    grid = grid_of(about)
    return np.array(list(np.ndindex(*grid)), dtype=np.int64)


@pytest.mark.parametrize(("dtype", "zarr_format"), TYPED)
def test_every_real_type_reads_back_equal_in_native_order(tmp_path, dtype, zarr_format):
    data = ramp((9, 10, 11), dtype)
    write_array(tmp_path / "a.zarr", data, zarr_format=zarr_format)
    source = open_source(tmp_path / "a.zarr")
    whole, _ = read_whole(source)
    np.testing.assert_array_equal(whole, data)


def test_fortran_order_reads_back_equal(tmp_path):
    data = ramp((9, 10, 11))
    write_array(tmp_path / "a.zarr", data, order="F")
    whole, _ = read_whole(open_source(tmp_path / "a.zarr"))
    np.testing.assert_array_equal(whole, data)


@pytest.mark.parametrize("dtype", ["c8", "c16", "S4", "M8[s]"])
def test_a_type_that_cannot_be_drawn_is_refused_in_a_sentence(tmp_path, dtype):
    write_array(tmp_path / "a.zarr", np.zeros((4, 4, 4), dtype), fill_value=None)
    with pytest.raises(StoreFormatError, match=r"dtype .* of \.zarray"):
        open_source(tmp_path / "a.zarr")


def test_bytes_of_local_chunks_are_the_sizes_of_their_files(tmp_path):
    write_image(tmp_path / "a.zarr", [ramp((20, 20, 20))])
    source = open_source(tmp_path / "a.zarr")
    _, n_bytes = read_whole(source)
    files = chunk_files(tmp_path / "a.zarr")
    assert n_bytes == sum(p.stat().st_size for p in files)
    first = source.stored_bytes(0, (0, 0, 0))
    assert first == (tmp_path / "a.zarr/0/0/0/0").stat().st_size


def test_a_missing_chunk_is_not_an_error_and_is_known_beforehand(tmp_path):
    write_image(tmp_path / "a.zarr", [ramp((20, 20, 20))])
    corrupt(tmp_path / "a.zarr/0/0/1/0", "delete")
    source = open_source(tmp_path / "a.zarr")
    chunk = source.read_storage_chunk(0, (0, 1, 0))
    assert chunk.data is None
    assert chunk.stored_bytes == 0
    indices = all_indices(source)
    missing = source.missing_chunks(0, indices)
    assert indices[missing].tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("damage", ["truncate", "empty", "garbage"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_damaged_chunk_fails_alone(tmp_path, damage, zarr_format):
    data = ramp((20, 20, 20))
    write_image(tmp_path / "a.zarr", [data], zarr_format=zarr_format)
    bad = chunk_files(tmp_path / "a.zarr")[3]
    corrupt(bad, damage)
    source = open_source(tmp_path / "a.zarr")
    failed = []
    for index in all_indices(source):
        try:
            source.read_storage_chunk(0, tuple(index))
        except ChunkReadError as error:
            failed.append(error)
    assert len(failed) == 1
    assert not failed[0].is_transient
    assert str(tmp_path / "a.zarr" / failed[0].key) == str(bad)
    assert failed[0].key in str(failed[0])


def test_a_chunk_without_permission_is_denied(tmp_path, as_nobody):
    folder = as_nobody / "a.zarr"
    write_image(folder, [ramp((8, 8, 8))])
    source = open_source(folder)
    (folder / "0/0/0/0").chmod(0)
    with as_nobody.identity(), pytest.raises(ChunkReadError, match="denied") as caught:
        source.read_storage_chunk(0, (0, 0, 0))
    assert not caught.value.is_transient


def test_a_chunk_outside_the_grid_is_an_error(tmp_path):
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    with pytest.raises(ChunkReadError, match="inside the array"):
        open_source(tmp_path / "a.zarr").read_storage_chunk(0, (5, 0, 0))


def test_a_closed_source_says_so(tmp_path):
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    source = open_source(tmp_path / "a.zarr")
    source.close()
    with pytest.raises(ChunkReadError, match="closed"):
        source.read_storage_chunk(0, (0, 0, 0))


# ----- shards


@pytest.fixture
def sharded(tmp_path):
    """Shards of 16**3 with inner chunks of 8**3; one shard and one chunk are empty."""
    data = ramp((32, 32, 32))
    data[16:, 16:, 16:] = 0
    data[:8, :8, :8] = 0
    folder = tmp_path / "s.zarr"
    write_image(folder, [data], zarr_format=3, chunks=(8, 8, 8), shards=(16, 16, 16))
    return folder, data


def test_the_unit_of_a_sharded_array_is_the_inner_chunk(sharded):
    folder, data = sharded
    source = open_source(folder)
    assert source.info.pyramid.levels[0].storage_chunk_shape == (8, 8, 8)
    whole, _ = read_whole(source)
    np.testing.assert_array_equal(whole, data)


def test_missing_inner_chunks_are_known_from_listing_and_index(sharded):
    folder, data = sharded
    source = open_source(folder)
    indices = all_indices(source)
    missing = source.missing_chunks(0, indices)
    empty = [not data[chunk_slices(i, (8, 8, 8), data.shape)].any() for i in indices]
    assert missing.tolist() == empty
    assert source.stored_bytes(0, (0, 0, 0)) == 0
    assert source.stored_bytes(0, (3, 3, 3)) == 0
    assert source.read_storage_chunk(0, (0, 0, 0)).data is None


def test_inner_chunks_and_indices_add_up_to_what_was_read(sharded):
    folder, _ = sharded
    source = open_source(folder)
    inner = sum(source.stored_bytes(0, tuple(i)) for i in all_indices(source))
    _, n_bytes = read_whole(source)
    index_bytes = 7 * (16 * 8 + 4)
    assert n_bytes == inner + index_bytes


def test_a_damaged_shard_index_fails_and_is_never_taken_for_missing(sharded):
    folder, _ = sharded
    corrupt(folder / "0/c/0/0/0", "truncate", keep=0.9)
    source = open_source(folder)
    with pytest.raises(ChunkReadError, match="damaged") as caught:
        source.read_storage_chunk(0, (1, 1, 1))
    assert caught.value.key == "0/c/0/0/0[1,1,1]"
    assert not source.missing_chunks(0, np.array([[1, 1, 1]])).any()
    assert source.read_storage_chunk(0, (2, 0, 0)).data is not None


# ----- over HTTP


@pytest.fixture
def served(tmp_path):
    data = ramp((24, 24, 24))
    write_image(tmp_path / "a.zarr", [data, data[::2, ::2, ::2]], chunks=(12, 12, 12))
    with FaultServer(tmp_path) as server:
        yield server, data


def test_each_chunk_costs_one_request_and_bytes_are_exact(served):
    server, data = served
    source = open_source(f"{server.url}/a.zarr")
    server.clear()
    whole, n_bytes = read_whole(source)
    np.testing.assert_array_equal(whole, data)
    assert server.n_requests == 8
    assert n_bytes == server.n_bytes


def test_bytes_are_exact_when_threads_share_a_store(served):
    server, _ = served
    source = open_source(f"{server.url}/a.zarr")
    server.clear()
    with ThreadPoolExecutor(8) as pool:
        chunks = pool.map(
            lambda i: source.read_storage_chunk(0, tuple(i)), all_indices(source)
        )
        n_bytes = sum(c.stored_bytes for c in chunks)
    assert n_bytes == server.n_bytes


def test_opening_reads_no_voxels_and_takes_at_most_three_round_trips(served):
    server, _ = served
    server.add(Rule("*", "delay", seconds=0.1))
    open_source(f"{server.url}/a.zarr")
    assert not any("/0/0" in path for path in server.requests)
    assert server.n_rounds <= 3


def test_what_is_missing_on_a_server_is_not_known_beforehand(served):
    server, _ = served
    source = open_source(f"{server.url}/a.zarr")
    assert source.is_remote
    assert source.missing_chunks(0, all_indices(source)) is None
    assert source.stored_bytes(0, (0, 0, 0)) is None


@pytest.mark.parametrize(
    ("rule", "is_transient", "says"),
    [
        (Rule("*/0/0/0", "error", 503), True, "503"),
        (Rule("*/0/0/0", "error", 429), True, "429"),
        (Rule("*/0/0/0", "error", 403), False, "denied"),
        (Rule("*/0/0/0", "error", 401), False, "denied"),
        (Rule("*/0/0/0", "error", 400), False, "refusal"),
        (Rule("*/0/0/0", "truncate"), True, "partial"),
        (Rule("*/0/0/0", "short"), False, "damaged"),
        (Rule("*/0/0/0", "corrupt"), False, "damaged"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_fault_fails_one_chunk_with_a_sentence(served, rule, is_transient, says):
    server, data = served
    source = open_source(f"{server.url}/a.zarr")
    server.add(rule)
    with pytest.raises(ChunkReadError, match=says) as caught:
        source.read_storage_chunk(0, (0, 0, 0))
    assert caught.value.is_transient is is_transient
    assert caught.value.key == "0/0/0/0"
    assert "0/0/0/0" in str(caught.value)
    good = source.read_storage_chunk(0, (1, 1, 1)).data
    np.testing.assert_array_equal(good, data[12:, 12:, 12:])


def test_a_404_is_missing_and_a_403_can_be(served):
    server, _ = served
    server.add(
        Rule("a.zarr/0/0/0/0", "error", 404), Rule("a.zarr/0/0/0/1", "error", 403)
    )
    source = open_source(f"{server.url}/a.zarr", treat_403_as_missing=True)
    assert source.read_storage_chunk(0, (0, 0, 0)).data is None
    assert source.read_storage_chunk(0, (0, 0, 1)).data is None


def test_a_server_that_recovers_is_asked_again(served):
    server, data = served
    source = open_source(f"{server.url}/a.zarr")
    server.add(Rule("a.zarr/0/0/0/0", "error", 503, times=2))
    chunk = source.read_storage_chunk(0, (0, 0, 0))
    np.testing.assert_array_equal(chunk.data, data[:12, :12, :12])
    assert server.requests["a.zarr/0/0/0/0"] == 3


def test_random_refusals_change_no_voxel(served):
    server, data = served
    source = open_source(f"{server.url}/a.zarr")
    server.add(Rule("a.zarr/0/*", "error", 503, share=0.3))
    whole, _ = read_whole(source)
    np.testing.assert_array_equal(whole, data)


def test_a_shard_on_a_server_costs_its_index_once(tmp_path):
    data = ramp((16, 16, 16))
    write_image(
        tmp_path / "s.zarr", [data], zarr_format=3, chunks=(8,) * 3, shards=(16,) * 3
    )
    with FaultServer(tmp_path) as server:
        source = open_source(f"{server.url}/s.zarr")
        server.clear()
        whole, n_bytes = read_whole(source)
        assert server.n_requests == 9
        assert n_bytes == server.n_bytes
    np.testing.assert_array_equal(whole, data)


STALLED = """
import sys
from brickfield.errors import ChunkReadError, StoreUnreachableError
from brickfield.sources.open import open_source
source = open_source(sys.argv[1])
try:
    source.read_storage_chunk(0, (0, 0, 0))
except ChunkReadError as error:
    assert error.is_transient, error
    assert "in time" in str(error), error
    print("ended")
"""


@pytest.mark.slow
def test_a_stalled_server_ends_in_a_failure(served):
    """In a process of its own: the limits are read once."""
    server, _ = served
    server.add(Rule("a.zarr/0/0/0/0", "stall", seconds=60))
    limits = {
        "TENSORSTORE_CURL_LOW_SPEED_TIME_SECONDS": "1",
        "TENSORSTORE_CURL_LOW_SPEED_LIMIT_BYTES": "10000",
    }
    done = subprocess.run(
        [sys.executable, "-c", STALLED, f"{server.url}/a.zarr"],
        env={**os.environ, **limits},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "ended", done.stderr


def test_a_server_leaves_no_thread_behind(tmp_path):
    before = threading.active_count()
    with FaultServer(Path(tmp_path)):
        pass
    assert threading.active_count() == before
