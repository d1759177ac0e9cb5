"""Real stores of others, compared with zarr-python."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from brickfield.sources.arrays.stored import chunk_slices
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "ome-zarr"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder ../shared/data is not here"
)

IMAGES = {
    # name: axes, shape of level 0, voxel size of level 0, levels
    "mri-stack.ome.zarr": ("zyx", (27, 226, 186), (1, 1, 1), 2),
    "pyramid_v5.zarr": ("zyx", (500, 1000, 1000), (1, 1, 1), 3),
    "single-plane-hcs.zarr": ("cyx", (3, 256, 512), (1, 2.7336, 2.7336), 3),
    "skimage-2dt-zarr/image.ome.zarr": ("tyx", (10, 592, 1280), (1, 1, 1), 3),
    "skimage-2dt-zarr/segmentation.ome.zarr": ("tyx", (10, 592, 1280), (1, 1, 1), 3),
    "nextflow/data/xy_8bit__nuclei_PLK1_control.ome.zarr": (
        "tczyx",
        (1, 1, 1, 682, 682),
        (299.35504150390625, 1, 1, 0.166053183181403, 0.166053183181403),
        3,
    ),
    "bioformats2raw/test-data/coins.ome.zarr": (
        "tczyx",
        (1, 1, 1, 480, 640),
        (1, 1, 1, 1, 1),
        3,
    ),
    "simple_zarr3_dataset": ("cxyz", (3, 24, 24, 24), (1, 1, 1, 1), 1),
    "simple_zarr3_dataset/color": ("cxyz", (3, 24, 24, 24), (1, 1, 1, 1), 1),
}
JAVA = FOLDER / "fiji-java"
TWINS = [
    pytest.param(p.parent, id=p.parent.relative_to(JAVA).as_posix())
    for p in sorted(JAVA.glob("**/*v4.ome.zarr"))
]


def whole(source, level):
    """Put a level together; bytes of shards hold their index too, so none are checked."""
    about = source.info.pyramid.levels[level]
    result = np.full(about.shape, about.fill_value, about.dtype)
    pairs = list(zip(about.shape, about.storage_chunk_shape, strict=True))
    for index in np.ndindex(*[-(-n // c) for n, c in pairs]):
        data = source.read_storage_chunk(level, index).data
        if data is not None:
            slices = chunk_slices(index, about.storage_chunk_shape, about.shape)
            result[slices] = data
    return result


def array_at(root, path):
    """Open a level with zarr-python, its gzip level put right in memory."""
    folder = root / path
    file = folder / ".zarray"
    metadata = json.loads(file.read_text()) if file.is_file() else {}
    if (metadata.get("compressor") or {}).get("level", 0) >= 0:
        return zarr.open_array(str(folder), mode="r")
    metadata["compressor"]["level"] = 5
    metadata["filters"] = None
    store = zarr.storage.MemoryStore()
    buffer = zarr.core.buffer.default_buffer_prototype().buffer
    content = {".zarray": json.dumps(metadata).encode()}
    for chunk in folder.rglob("*"):
        if chunk.is_file() and not chunk.name.startswith("."):
            content[chunk.relative_to(folder).as_posix()] = chunk.read_bytes()
    store._store_dict.update({k: buffer.from_bytes(v) for k, v in content.items()})
    return zarr.open_array(store, mode="r")


@pytest.mark.parametrize("name", list(IMAGES))
def test_a_real_store_opens_as_it_is(name):
    axes, shape, size, n_levels = IMAGES[name]
    source = open_source(FOLDER / name)
    pyramid = source.info.pyramid
    assert "".join(a.name for a in pyramid.axes) == axes
    assert pyramid.levels[0].shape == shape
    assert pyramid.levels[0].voxel_size == pytest.approx(size)
    assert pyramid.n_levels == n_levels
    assert not [f for f in source.info.findings if f.severity != "info"]
    for i, level in enumerate(pyramid.levels):
        if level.n_voxels > 20e6:
            continue
        expected = array_at(FOLDER / name, level.path)
        assert expected.dtype == level.dtype
        np.testing.assert_array_equal(whole(source, i), expected[...])


def test_the_translation_of_coarse_levels_is_kept():
    levels = open_source(FOLDER / "mri-stack.ome.zarr").info.pyramid.levels
    assert levels[1].translation == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("level", "low", "high"), [(0, 180, 220), (1, 100, 140), (2, 20, 60)]
)
def test_each_level_of_the_oracle_has_its_own_values(level, low, high):
    source = open_source(FOLDER / "pyramid_v5.zarr")
    data = source.read_storage_chunk(level, (0, 0, 0)).data
    assert set(np.unique(data)) <= {low, high}


@pytest.mark.parametrize("folder", TWINS)
def test_v4_and_v5_twins_are_equal(folder):
    (old,) = folder.glob("*v4.ome.zarr")
    (new,) = folder.glob("*v5.ome.zarr")
    first, second = open_source(old), open_source(new)
    assert first.info.pyramid.axes == second.info.pyramid.axes
    for i in range(first.info.pyramid.n_levels):
        a, b = first.info.pyramid.levels[i], second.info.pyramid.levels[i]
        assert (a.shape, a.voxel_size, a.translation) == (
            b.shape,
            b.voxel_size,
            b.translation,
        )
        np.testing.assert_array_equal(whole(first, i), whole(second, i))


def test_every_well_of_the_real_plate_opens():
    root = FOLDER / "single-plane-hcs.zarr"
    wells = open_source(root).info.wells
    assert wells == ("E/08", "E/07")
    for well in wells:
        source = open_source(root, well=well)
        expected = zarr.open_array(str(root / well / "0" / "0"), mode="r")
        np.testing.assert_array_equal(whole(source, 0), expected[...])


def test_both_series_of_a_bioformats2raw_store_open():
    root = JAVA / "bioformats2raw_testing" / "bf2raw_dataset_v5.ome.zarr"
    assert open_source(root).info.series == ("image 0", "image 1")
    for i in range(2):
        source = open_source(root, series=i)
        expected = zarr.open_array(str(root / str(i) / "0"), mode="r")
        np.testing.assert_array_equal(whole(source, 0), expected[...])


@pytest.mark.parametrize("name", ["mri-stack.ome.zarr", "simple_zarr3_dataset/color"])
def test_a_real_store_reads_the_same_over_http(name):
    with FaultServer(FOLDER) as server:
        remote = whole(open_source(f"{server.url}/{name}"), 0)
    np.testing.assert_array_equal(remote, whole(open_source(FOLDER / name), 0))
