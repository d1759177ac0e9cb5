"""Chunks are found by the names that exist, whatever the metadata say."""

import json
import shutil

import numpy as np
import pytest

from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import ramp, write_array, write_image

VOLUME = ramp((4, 6, 8))
NAMINGS = [("v2", "."), ("v2", "/"), ("default", "/"), ("default", ".")]


def voxels(source):
    """Assemble level 0 of its chunks, which halve every axis."""
    about = source.info.pyramid.levels[0]
    out = np.zeros(about.shape, about.dtype)
    for index in np.ndindex(2, 2, 2):
        chunk = source.read_storage_chunk(0, index).data
        if chunk is not None:
            at = tuple(
                slice(i * c, i * c + n)
                for i, c, n in zip(
                    index, about.storage_chunk_shape, chunk.shape, strict=True
                )
            )
            out[at] = chunk
    return out


def codes(source):
    return [f.code for f in source.info.findings]


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("stored", [".", "/"])
@pytest.mark.parametrize("stated", [None, ".", "/"])
def test_v2_chunks_are_found_whatever_separator_is_stated(tmp_path, stored, stated):
    key = {"name": "v2", "separator": stored}
    image = write_image(tmp_path / "a.zarr", [VOLUME], chunk_key_encoding=key)

    def lie(document):
        document.pop("dimension_separator", None)
        if stated:
            document["dimension_separator"] = stated

    edit(image / "0" / ".zarray", lie)
    source = open_source(image)
    np.testing.assert_array_equal(voxels(source), VOLUME)
    assert ("chunk-names" in codes(source)) == ((stated or ".") != stored)


@pytest.mark.parametrize("stored", NAMINGS)
@pytest.mark.parametrize("stated", NAMINGS)
@pytest.mark.parametrize("shards", [None, (4, 6, 8)], ids=["plain", "sharded"])
def test_v3_chunks_are_found_whatever_encoding_is_stated(
    tmp_path, stored, stated, shards
):
    key = {"name": stored[0], "separator": stored[1]}
    write_array(
        tmp_path / "a",
        VOLUME,
        zarr_format=3,
        chunk_key_encoding=key,
        shards=shards,
        chunks=(2, 3, 4),
    )
    new = {"name": stated[0], "configuration": {"separator": stated[1]}}
    edit(tmp_path / "a" / "zarr.json", lambda doc: doc.update(chunk_key_encoding=new))
    np.testing.assert_array_equal(voxels(open_source(tmp_path / "a")), VOLUME)


def test_an_array_without_any_chunk_opens_and_says_so(tmp_path):
    image = write_image(tmp_path / "a.zarr", [np.zeros((4, 6, 8), "u2")])
    source = open_source(image)
    found = [f for f in source.info.findings if f.code == "no-chunks"]
    assert [f.severity for f in found] == ["warning"]
    assert "no chunk is stored" in found[0].text
    assert not voxels(source).any()


def test_names_that_are_none_of_zarr_are_an_error_among_the_findings(tmp_path):
    image = write_image(tmp_path / "a.zarr", [VOLUME])
    for name in "01":
        shutil.move(image / "0" / name, image / "0" / f"chunk-{name}")
    found = [f for f in open_source(image).info.findings if f.code == "no-chunks"]
    assert [f.severity for f in found] == ["error"]
