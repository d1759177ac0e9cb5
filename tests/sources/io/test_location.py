"""Places, and small files at them."""

import socket
from pathlib import Path

import pytest

from brickfield.errors import (
    OptionError,
    StoreAccessError,
    StoreFormatError,
    StoreUnreachableError,
)
from brickfield.sources.io.location import locate
from brickfield.sources.io.store_files import list_folders, read_many
from brickfield.testing.http_server import FaultServer, Rule


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://h:1/a/b.zarr/", "http://h:1/a/b.zarr"),
        ("https://h/a/zarr.json", "https://h/a"),
        ("https://h/a/.zattrs?key=1", "https://h/a?key=1"),
        ("s3://bucket/a/", "s3://bucket/a"),
        ("gs://bucket", "gs://bucket"),
    ],
)
def test_a_url_is_brought_into_its_short_form(uri, expected):
    location = locate(uri)
    assert location.uri == expected
    assert location.is_remote
    assert location.local is None


@pytest.mark.parametrize(
    "uri", ["/a/b", "/a/b/", "/a/b//", "file:///a/b", "/a/b/.zgroup"]
)
def test_a_path_is_brought_into_its_short_form(uri):
    location = locate(uri)
    assert location.local == Path("/a/b")
    assert not location.is_remote


def test_a_percent_sign_in_a_file_url_is_decoded():
    assert locate("file:///a%20b/c").local == Path("/a b/c")


@pytest.mark.parametrize("uri", ["ftp://h/a", "nonsense://x"])
def test_an_unknown_scheme_is_an_option_error(uri):
    with pytest.raises(OptionError, match="http://"):
        locate(uri)


@pytest.mark.parametrize("uri", ["/a/b", "http://h/a/b?q=1", "s3://bucket/a/b"])
def test_a_child_of_the_parent_is_the_place_itself(uri):
    location = locate(uri)
    again = location.parent().child("b")
    assert again == location
    assert again.spec["path"].endswith("a/b/")
    assert location.child("c/d").uri.partition("?")[0].endswith("a/b/c/d")


def test_the_top_of_a_bucket_has_no_parent():
    assert locate("s3://bucket/a").parent() is None


def test_what_is_not_there_is_none(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    found = read_many(locate(tmp_path), ["a", "b", "folder", "a/b"])
    assert found == {"a": b"1", "b": None, "folder": None, "a/b": None}


def test_files_of_a_server_are_asked_for_together(tmp_path):
    names = [f"f{i}" for i in range(6)]
    for name in names:
        (tmp_path / name).write_text(name)
    with FaultServer(tmp_path, Rule("*", "delay", seconds=0.1)) as server:
        found = read_many(locate(server.url), names)
        assert server.n_rounds <= 2
    assert found == {n: n.encode() for n in names}


def test_a_refusal_can_count_as_missing(tmp_path):
    with FaultServer(tmp_path, Rule("a", "error", 403)) as server:
        location = locate(server.url)
        assert read_many(location, ["a"], denied_is_missing=True) == {"a": None}
        with pytest.raises(StoreAccessError, match="denied"):
            read_many(location, ["a"])


def test_a_query_is_kept_in_every_request(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a").write_text("1")
    with FaultServer(tmp_path) as server:
        assert read_many(locate(f"{server.url}/x?token=1"), ["a"])["a"] == b"1"


def test_folders_of_a_server_cannot_be_listed():
    assert list_folders(locate("http://127.0.0.1:9/a")) is None


def test_a_broken_zip_file_is_refused_when_listed(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(StoreFormatError, match=r"a\.zip"):
        list_folders(locate(tmp_path / "a.zip"))


def test_a_server_that_never_answers_ends_in_a_sentence(monkeypatch):
    """It takes the connection and says nothing."""
    monkeypatch.setattr("brickfield.sources.io.store_files.LONGEST_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = locate(f"http://127.0.0.1:{server.getsockname()[1]}/a.zarr")
        with pytest.raises(StoreUnreachableError, match="did not answer within 0 s"):
            read_many(place, ["zarr.json"])
