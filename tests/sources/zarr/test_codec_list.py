"""Codecs by name: what is in the list is decoded, nothing else is even looked up."""

import json

import pytest

from brickfield.errors import StoreFormatError
from brickfield.sources.open import open_source
from brickfield.sources.zarr.codec_list import refused_codec
from brickfield.testing.zarr_stores import ramp, write_image

OBJECTS = ["pickle", "json2", "msgpack2", "vlen-utf8", "vlen-array", "categorize"]


@pytest.mark.parametrize("name", [*OBJECTS, "base64", "somebodys_codec", 7])
def test_codecs_of_objects_and_unknown_ones_are_refused(name):
    """As compressor or filter of v2, and in any chain of v3."""
    codec = {"id": name}
    assert "found" in str(refused_codec(2, {"compressor": codec}))
    assert repr(name) in str(refused_codec(2, {"filters": [{"id": "delta"}, codec]}))
    deep = {"name": "sharding_indexed", "configuration": {"codecs": []}}
    for full in (f"numcodecs.{name}", str(name)):
        deep["configuration"] = {"codecs": [{"name": "bytes"}, {"name": full}]}
        assert repr(full) in str(refused_codec(3, {"codecs": [deep]}))
        deep["configuration"] = {"index_codecs": [full]}
        assert repr(full) in str(refused_codec(3, {"codecs": [deep]}))


def test_codecs_of_voxels_may_be_used():
    """Compressors, checksums and filters of numbers."""
    assert refused_codec(2, {"compressor": None, "filters": None}) is None
    both = {"compressor": {"id": "lzma"}, "filters": [{"id": "delta"}, {"id": "zlib"}]}
    assert refused_codec(2, both) is None
    chain = ["bytes", {"name": "numcodecs.lz4", "configuration": {}}]
    assert refused_codec(3, {"codecs": chain}) is None


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_a_pickle_in_an_array_is_refused_in_a_sentence(tmp_path, place):
    """Before anything is looked up, and with the name of the file."""
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    file = tmp_path / "a.zarr" / "0" / ".zarray"
    codec = {"id": "pickle", "protocol": 5}
    document = json.loads(file.read_text())
    document[place] = [codec] if place == "filters" else codec
    file.write_text(json.dumps(document))
    with pytest.raises(StoreFormatError, match=r"found 'pickle'.*0/\.zarray"):
        open_source(tmp_path / "a.zarr")
