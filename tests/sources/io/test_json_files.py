"""JSON files of a store: read, absent or no JSON."""

from __future__ import annotations

import pytest

from brickfield.errors import StoreFormatError
from brickfield.sources.io.json_files import parse_object, read_object
from brickfield.sources.io.location import locate


def test_an_object_is_read_and_an_absent_file_is_none(tmp_path):
    (tmp_path / "a").write_text('{"b": 1}')
    assert read_object(locate(tmp_path), "a") == {"b": 1}
    assert read_object(locate(tmp_path), "c") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff"])
def test_anything_else_is_refused_with_its_place(tmp_path, text):
    (tmp_path / "a").write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreFormatError, match=r"expected .*JSON.*a"):
        read_object(locate(tmp_path), "a")


@pytest.mark.parametrize("depth", [65, 100_000])
def test_json_nested_deeper_than_any_metadata_is_refused(depth):
    """Whoever walks through it may do so by recursion."""
    raw = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(StoreFormatError, match="nested at most 64 deep"):
        parse_object(raw, "a.json")


def test_json_of_the_allowed_depth_is_read():
    raw = b'{"a":' + b"[" * 63 + b"]" * 63 + b"}"
    assert parse_object(raw, "a.json")
