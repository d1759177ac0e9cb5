"""Folders of several images, checked by another library."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaozarrs

from brickfield.errors import OptionError, StoreFormatError
from brickfield.pyramid import write_pyramid
from brickfield.sources import from_arrays, open_source
from brickfield.writing.collection import publish_collection
from brickfield.writing.stores import check_replaceable, is_ome_zarr


def filled(root, version, names=("0", "1")):
    for i, name in enumerate(names):
        data = np.full((4, 8, 8), i + 1, np.uint8)
        write_pyramid(from_arrays(data), root / name, version=version, chunk_shape=8)
    return root


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_collection_is_valid_and_all_its_images_are_found(tmp_path, version):
    root = filled(tmp_path / "a.ome.zarr", version)
    publish_collection(root, version, ["1", "0"], {"brickfield": {"session": {"a": 1}}})
    yaozarrs.validate_zarr_store(str(root))
    for i, expected in enumerate([2, 1]):
        source = open_source(str(root), series=i)
        data = source.read_storage_chunk(0, (0, 0, 0)).data
        source.close()
        assert (data == expected).all()
    file = root / ("zarr.json" if version == "0.5" else ".zattrs")
    document = json.loads(file.read_text())
    own = document["attributes"] if version == "0.5" else document
    assert own["brickfield"] == {"session": {"a": 1}}


def test_the_root_comes_last_so_that_half_of_it_is_no_collection(tmp_path):
    root = filled(tmp_path / "a", "0.5")
    with pytest.raises(StoreFormatError, match="found none there"):
        publish_collection(root, "0.5", ["0", "1", "2"])
    assert not is_ome_zarr(root)


def test_a_collection_may_be_replaced_with_what_belongs_to_it(tmp_path):
    root = filled(tmp_path / "a", "0.5")
    publish_collection(root, "0.5", ["0", "1"])
    (root / "ro-crate-metadata.json").write_text("{}")
    check_replaceable(root)
    (root / "0" / "0" / "ro-crate-metadata.json").write_text("{}")
    with pytest.raises(OptionError, match="belongs"):
        check_replaceable(root)


@pytest.mark.parametrize(
    ("version", "images", "private", "sentence"),
    [
        ("0.3", ["0"], {}, "version out of"),
        ("0.5", [], {}, "at least one image"),
        ("0.5", ["0", "0"], {}, "0 twice"),
        ("0.5", ["0"], {"ome": {}}, "beside the standard's"),
    ],
)
def test_what_would_be_no_collection_is_refused(
    tmp_path, version, images, private, sentence
):
    with pytest.raises(OptionError, match=sentence):
        publish_collection(filled(tmp_path / "a", "0.5"), version, images, private)
