"""N5: axes turned round, levels, sizes, missing and corrupt blocks."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import numpy as np
import pytest
import tensorstore as ts

from brickfield.errors import (
    ChunkReadError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.n5.source import matches, open_source
from brickfield.sources.protocol import ChunkSource


def _write(folder, volume, **attributes):
    """Write (z, y, x) voxels as N5 does: x first."""
    array = ts.open(
        {
            "driver": "n5",
            "kvstore": {"driver": "file", "path": f"{folder}/"},
            "metadata": {
                "dimensions": volume.shape[::-1],
                "blockSize": (16, 20, 24, 1)[: volume.ndim],
                "dataType": str(volume.dtype),
                "compression": {"type": "gzip"},
            },
        },
        create=True,
    ).result()
    array.write(volume.T).result()
    _add(folder, **attributes)


def _add(folder, **attributes):
    path = folder / "attributes.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | attributes))


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(1, 9000, (30, 50, 40)).astype("u2")


@pytest.fixture
def group(tmp_path, volume):
    folder = tmp_path / "a.n5" / "em"
    for level, step in enumerate((1, 2)):
        _write(folder / f"s{level}", volume[::step, ::step, ::step])
    _add(
        folder,
        pixelResolution={"unit": "nm", "dimensions": [4, 5, 40]},
        downsamplingFactors=[[1, 1, 1], [2, 2, 2]],
    )
    return folder


def test_levels_are_read_with_x_last(group, volume, read_level):
    source = open_source(str(group))
    assert isinstance(source, ChunkSource)
    assert np.array_equal(read_level(source, 0), volume)
    assert np.array_equal(read_level(source, 1), volume[::2, ::2, ::2])
    assert source.info.pyramid.levels[0].storage_chunk_shape == (24, 20, 16)


def test_sizes_are_turned_round_and_levels_are_centred(group):
    pyramid = open_source(str(group)).info.pyramid
    assert pyramid.levels[0].voxel_size == (40, 5, 4)
    assert pyramid.levels[1].voxel_size == (80, 10, 8)
    assert pyramid.levels[1].translation == (20, 2.5, 2)
    assert pyramid.unit == "nm"


def test_a_container_offers_its_images_as_series(group, volume, read_level):
    _write(group.parent / "other", volume[:9])
    source = open_source(str(group.parent))
    assert source.info.series == ("em", "other")
    assert [f.code for f in source.info.findings] == ["several-images"]
    chosen = open_source(str(group.parent), series="other")
    assert np.array_equal(read_level(chosen, 0), volume[:9])
    with pytest.raises(OptionError, match="em, other"):
        open_source(str(group.parent), series="nothing")


def test_one_array_is_an_image_of_one_level(group, volume, read_level):
    source = open_source(str(group / "s0"))
    assert source.info.pyramid.n_levels == 1
    assert np.array_equal(read_level(source, 0), volume)


def test_a_block_that_is_not_stored_is_missing(group):
    (group / "s0" / "0" / "0" / "0").unlink()
    source = open_source(str(group))
    assert source.read_storage_chunk(0, (0, 0, 0)).data is None
    indices = np.array([(0, 0, 0), (1, 0, 0)])
    assert source.missing_chunks(0, indices).tolist() == [True, False]


def test_a_block_that_is_a_link_to_nothing_or_to_itself_has_failed(group):
    for target in ("nothing", "0"):
        block = group / "s0" / "0" / "0" / "0"
        block.unlink()
        block.symlink_to(target)
        with closing(open_source(str(group))) as source:
            known = source.missing_chunks(0, np.array([[0, 0, 0]]))
            assert known is None or not known.any()
            with pytest.raises(ChunkReadError):
                source.read_storage_chunk(0, (0, 0, 0))


def test_a_corrupt_block_fails_by_its_key(group):
    path = group / "s0" / "1" / "0" / "0"
    path.write_bytes(path.read_bytes()[:60])
    source = open_source(str(group))
    with pytest.raises(ChunkReadError, match="damaged") as caught:
        source.read_storage_chunk(0, (0, 0, 1))
    assert caught.value.key == "1/0/0"
    assert not caught.value.is_transient


def test_stored_bytes_are_those_of_the_files(group):
    source = open_source(str(group))
    size = (group / "s0" / "0" / "0" / "0").stat().st_size
    assert source.read_storage_chunk(0, (0, 0, 0)).stored_bytes == size


@pytest.mark.parametrize(
    ("attributes", "is_labels"),
    [({"painteraData": {"type": "label"}}, True), ({"maxId": 5}, False), ({}, False)],
)
def test_labels_are_known_by_their_attributes(group, attributes, is_labels):
    _add(group, **attributes)
    assert open_source(str(group)).info.is_labels == is_labels


def test_four_axes_are_channels_and_space(tmp_path, read_level):
    volume = np.arange(3 * 9 * 9 * 9).astype("u2").reshape(3, 9, 9, 9)
    _write(tmp_path / "a.n5", volume)
    source = open_source(str(tmp_path / "a.n5"))
    assert "".join(a.name for a in source.info.pyramid.axes) == "czyx"
    assert len(source.info.channels) == 3
    assert np.array_equal(read_level(source, 0), volume)


def test_what_is_no_n5_is_refused_with_a_sentence(tmp_path, group):
    with pytest.raises(StoreNotFoundError, match="nothing"):
        open_source(str(tmp_path / "none.n5"))
    (tmp_path / "empty.n5").mkdir()
    with pytest.raises(StoreFormatError, match="s0"):
        open_source(str(tmp_path / "empty.n5"))
    (group / "s0" / "attributes.json").write_text("{")
    with pytest.raises(StoreFormatError, match="expected JSON"):
        open_source(str(group))
    (group / "s0" / "attributes.json").write_text('{"dimensions": [1, 2]}')
    with pytest.raises(StoreFormatError, match="decodable"):
        open_source(str(group))


def test_places_in_containers_and_attribute_files_match(tmp_path, group):
    assert matches("http://host/a.n5/em")
    assert matches(str(group))
    assert not matches(str(tmp_path))


@pytest.mark.parametrize("name", ["image", "segmentation"])
def test_real_data_equal_what_tensorstore_reads(real_data, name, read_level):
    root = real_data / "n5" / "em-256" / f"{name}.n5"
    source = open_source(str(root))
    for level, about in enumerate(source.info.pyramid.levels):
        spec = {"driver": "file", "path": f"{root}/{about.path}/"}
        stored = ts.open({"driver": "n5", "kvstore": spec}).result().read().result()
        assert np.array_equal(read_level(source, level), stored.T)


def test_a_level_of_which_no_block_is_stored_is_a_finding(group):
    assert not [f for f in open_source(group).info.findings if f.code == "no-chunks"]
    for block in (group / "s0").iterdir():
        if block.name.isdigit():
            shutil.rmtree(block)
    (found,) = [f for f in open_source(group).info.findings if f.code == "no-chunks"]
    assert found.path.endswith("s0")
