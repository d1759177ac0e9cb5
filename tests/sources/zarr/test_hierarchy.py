"""Nodes of a zarr store, wherever their metadata lie."""

import json

import numpy as np
import pytest

from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer
from brickfield.testing.zarr_stores import (
    image_attributes,
    ramp,
    write_group,
    write_image,
)

VOLUME = ramp((8, 9, 10))


def consolidate(store):
    """Write ``.zmetadata`` of all metadata files; return these."""
    files = [p for p in sorted(store.rglob(".z*")) if p.is_file()]
    metadata = {str(p.relative_to(store)): json.loads(p.read_text()) for p in files}
    document = {"zarr_consolidated_format": 1, "metadata": metadata}
    (store / ".zmetadata").write_text(json.dumps(document))
    return files


@pytest.fixture
def store(tmp_path):
    attributes = image_attributes("zyx", [[3, 2, 1]])
    return write_image(tmp_path / "image.zarr", [VOLUME], attributes)


@pytest.mark.parametrize(
    "left",
    [(), (".zgroup",), (".zattrs",), ("0/.zarray",), (".zgroup", "0/.zarray")],
    ids=lambda names: "+".join(names) or "none",
)
def test_metadata_that_only_stand_together_are_enough(store, read_level, left):
    for file in consolidate(store):
        if str(file.relative_to(store)) not in left:
            file.unlink()
    source = open_source(store)
    assert source.info.pyramid.levels[0].voxel_size == (3, 2, 1)
    np.testing.assert_array_equal(read_level(source, 0), VOLUME)


def test_a_server_that_has_them_only_together_is_enough(store, read_level):
    for file in consolidate(store):
        file.unlink()
    with FaultServer(store.parent) as server:
        source = open_source(f"{server.url}/{store.name}")
        assert source.info.pyramid.levels[0].voxel_size == (3, 2, 1)
        np.testing.assert_array_equal(read_level(source, 0), VOLUME)


@pytest.fixture
def only_labels(tmp_path):
    """A store of two label images without an image beside them."""
    root = tmp_path / "store.zarr"
    write_group(root, {})
    write_group(root / "labels", {"labels": ["nuclei", "cells"]})
    for name in ("nuclei", "cells"):
        attributes = image_attributes("zyx", [[3, 2, 1]], **{"image-label": {}})
        write_image(root / "labels" / name, [VOLUME.astype("u4")], attributes)
    return root


def expect_nuclei(info):
    assert info.pyramid.levels[0].path == "labels/nuclei/0"
    assert info.is_labels
    assert info.labels == ("nuclei", "cells")
    assert "only-labels" in {f.code for f in info.findings}


def test_a_store_of_labels_alone_opens_with_the_first_and_lists_all(only_labels):
    expect_nuclei(open_source(only_labels).info)
    for choice in ({"label": "cells"}, {"series": "cells"}):
        info = open_source(only_labels, **choice).info
        assert info.pyramid.levels[0].path == "labels/cells/0"
        assert info.is_labels


def test_labels_alone_open_from_a_server_that_lists_nothing(only_labels):
    with FaultServer(only_labels.parent) as server:
        expect_nuclei(open_source(f"{server.url}/store.zarr").info)


def test_labels_alone_open_without_metadata_at_the_root(only_labels):
    (only_labels / ".zgroup").unlink()
    (only_labels / ".zattrs").unlink()
    expect_nuclei(open_source(only_labels).info)


def test_labels_alone_are_found_where_no_list_names_them(only_labels):
    write_group(only_labels / "labels", {})
    info = open_source(only_labels).info
    assert info.is_labels
    assert info.labels == ("cells", "nuclei")
