"""Web servers that move things, know no ranges, or answer with pages."""

import socket

import numpy as np
import pytest
import zarr

from brickfield.errors import (
    BrickfieldError,
    ChunkReadError,
    OptionError,
    StoreFormatError,
    StoreUnreachableError,
)
from brickfield.sources.io.http_objects import forget_moves
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import write_image

DATA = np.random.default_rng(0).integers(0, 255, (8, 8, 8)).astype("u1")


@pytest.fixture(autouse=True)
def fresh():
    forget_moves()


@pytest.fixture
def folder(tmp_path):
    """A plain image, sharded zarr and N5, all with the same voxels."""
    write_image(tmp_path / "a.zarr", [DATA], chunks=(4, 4, 4))
    shards = {"chunks": (4, 4, 4), "shards": (8, 8, 8), "zarr_format": 3}
    array = zarr.create_array(
        str(tmp_path / "s.zarr"), shape=DATA.shape, dtype="u1", **shards
    )
    array[:] = DATA
    return tmp_path


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ["a.zarr", "s.zarr"])
def test_a_redirect_on_the_same_host_is_followed(folder, read_level, name, status):
    """Once for a folder: its chunks are asked for at the new place."""
    with (
        FaultServer(folder) as there,
        FaultServer(folder, Rule("*", "redirect", status, to=there.url)) as here,
    ):
        source = open_source(f"{here.url}/{name}")
        n_before = here.n_requests
        np.testing.assert_array_equal(read_level(source, 0), DATA)
        assert here.n_requests == n_before


@pytest.mark.parametrize("name", ["a.zarr", "s.zarr"])
def test_objects_that_are_sent_on_one_by_one_are_followed(folder, read_level, name):
    """Also where only chunks are, and a relative address leads on."""
    with FaultServer(folder) as server:
        moved = "c" if name == "s.zarr" else "0/0"
        (folder / "moved").mkdir()
        (folder / name / moved).rename(folder / "moved" / moved.replace("/", "-"))
        (folder / name).rename(folder / "moved" / name)
        rule = Rule(f"{name}/*", "redirect", 302, to="/moved")
        (folder / "moved" / moved.replace("/", "-")).rename(
            folder / "moved" / name / moved
        )
        server.add(rule)
        source = open_source(f"{server.url}/{name}")
        np.testing.assert_array_equal(read_level(source, 0), DATA)


def test_only_chunks_that_are_sent_on_are_fetched_whole(folder, read_level):
    with (
        FaultServer(folder) as there,
        FaultServer(folder, Rule("*/c/*", "redirect", 302, to=there.url)) as here,
    ):
        source = open_source(f"{here.url}/s.zarr")
        np.testing.assert_array_equal(read_level(source, 0), DATA)
        assert there.requests["s.zarr/c/0/0/0"] == 1


def test_another_host_is_named_and_not_asked(folder):
    """An address leads to no other host than the user gave."""
    other = f"http://localhost:{_free_port()}"
    with (
        FaultServer(folder, Rule("*", "redirect", 302, to=other)) as here,
        pytest.raises(BrickfieldError, match="sends on to http://localhost, another"),
    ):
        open_source(f"{here.url}/a.zarr")


def test_a_password_goes_along_to_the_same_port_alone(folder):
    """Another port can be somebody else's."""
    with FaultServer(folder) as there, FaultServer(folder) as here:
        here.add(
            Rule("b.zarr/*", "redirect", 302, to="/moved"),
            Rule("a.zarr/*", "redirect", 302, to=there.url),
        )
        (folder / "moved").mkdir()
        write_image(folder / "moved" / "b.zarr", [DATA])
        for name in ("a.zarr", "b.zarr"):
            open_source(f"{here.url}/{name}".replace("//", "//me:pass@", 1))
        assert there.with_password == 0
        assert here.with_password > 0


def test_redirects_in_a_circle_end_in_a_sentence(folder):
    with FaultServer(folder) as here:
        here.add(Rule("*", "redirect", 302, to=here.url))
        with pytest.raises(BrickfieldError, match="more than 5 redirects"):
            open_source(f"{here.url}/a.zarr")
        assert max(here.requests.values()) <= 8


def test_a_refusal_behind_a_redirect_is_one(folder):
    with (
        FaultServer(folder, Rule("*", "error", 503)) as there,
        FaultServer(folder, Rule("*", "redirect", 302, to=there.url)) as here,
        pytest.raises(StoreUnreachableError, match="503"),
    ):
        open_source(f"{here.url}/a.zarr")


def test_a_shard_from_a_server_without_ranges_is_read_whole_once(folder, read_level):
    """Its chunks come from memory then, and its bytes are counted once."""
    size = (folder / "s.zarr" / "c" / "0" / "0" / "0").stat().st_size
    with FaultServer(folder, Rule("*", "whole")) as server:
        source = open_source(f"{server.url}/s.zarr")
        n = [source.read_storage_chunk(0, i).stored_bytes for i in np.ndindex(2, 2, 2)]
        assert sum(n) == size
        np.testing.assert_array_equal(read_level(source, 0), DATA)
        assert server.requests["s.zarr/c/0/0/0"] == 2


def test_pages_for_what_is_absent_do_not_keep_an_image_from_opening(folder):
    """A server of web pages answers 200 for everything; a chunk is failed then."""
    (folder / "a.zarr" / "0" / "0" / "0" / "0").unlink()
    with FaultServer(folder, Rule("*", "absent", 200)) as server:
        source = open_source(f"{server.url}/a.zarr")
        assert source.read_storage_chunk(0, (0, 0, 1)).data is not None
        with pytest.raises(ChunkReadError, match="found a web page in its place"):
            source.read_storage_chunk(0, (0, 0, 0))


@pytest.mark.parametrize("name", ["none.zarr", "none.n5", "none", "none.xml"])
def test_a_page_in_place_of_everything_is_told_in_a_sentence(folder, name):
    with (
        FaultServer(folder, Rule("*", "absent", 200)) as server,
        pytest.raises(StoreFormatError, match="found a web page in its place"),
    ):
        open_source(f"{server.url}/{name}")


@pytest.mark.parametrize(
    "uri",
    [
        "http://[::1/a.zarr",
        "http://h:99999/a.zarr",
        "http://h:x/a.zarr",
        "http:///a.zarr",
        "s3:///a.zarr",
        "s3://A_B!/a.zarr",
        "gs://a..b/a.zarr",
    ],
)
def test_addresses_that_cannot_be_are_told_in_a_sentence(uri):
    """Bad hosts, ports and buckets."""
    with pytest.raises(OptionError, match="expected an address"):
        open_source(uri)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
