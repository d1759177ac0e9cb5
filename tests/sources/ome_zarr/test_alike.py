"""Images laid out like the first are not read whole; others are read as they are."""

import json
import shutil

import numpy as np
import pytest

from brickfield.sources.mosaic import MosaicOptions, open_mosaic_source
from brickfield.testing.zarr_stores import write_array, write_group, write_image

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
LEVELS = [
    [
        np.full((8, 8, 8), 10 * i + n + 1, "u1")[:: 2**n, :: 2**n, :: 2**n]
        for n in (0, 1)
    ]
    for i in range(3)
]


def image_of(n_levels=2):
    datasets = [
        {
            "path": str(n),
            "coordinateTransformations": [
                {
                    "type": "scale",
                    "scale": [2.0**n] * 3,
                    "input": {"path": str(n)},
                    "output": {"name": "own"},
                }
            ],
        }
        for n in range(n_levels)
    ]
    return {"coordinateSystems": [{"name": "own", "axes": AXES}], "datasets": datasets}


@pytest.fixture(params=[2, 3])
def scene(tmp_path, request):
    """Three tiles of two levels beside one another; levels differ in value, too."""
    transforms = [
        {
            "type": "translation",
            "translation": [0, 0, 8 * i],
            "input": {"path": f"t{i}", "name": "own"},
            "output": {"name": "world"},
        }
        for i in range(3)
    ]
    about = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": transforms,
    }
    root = tmp_path / "s.zarr"
    form = {"zarr_format": request.param}
    write_group(root, {"ome": {"version": "0.6", "scene": about}}, **form)
    for i, levels in enumerate(LEVELS):
        attributes = {"ome": {"version": "0.6", "multiscales": [image_of()]}}
        write_image(root / f"t{i}", levels, attributes, **form)
    return root


def replace_level(folder, data, **how):
    is_v3 = (folder / "zarr.json").exists()
    shutil.rmtree(folder)
    write_array(folder, data, zarr_format=3 if is_v3 else 2, **how)


def read(scene, level=0):
    source = open_mosaic_source(str(scene))
    about = source.info.pyramid.levels[level]
    return source, source.read_storage_chunk(level, (0,) * len(about.shape)).data


def test_all_images_are_where_they_lie(scene):
    _, found = read(scene)
    expected = np.concatenate([levels[0] for levels in LEVELS], axis=2)
    assert np.array_equal(found, expected)


def test_of_an_image_like_the_first_only_the_level_that_is_drawn_is_looked_at(scene):
    shutil.rmtree(scene / "t1" / "1")
    shutil.rmtree(scene / "t2" / "1")
    _, found = read(scene)
    assert np.array_equal(found[0, 0, ::8], [1, 11, 21])


def test_a_level_with_other_chunks_is_read_with_its_own(scene):
    data = np.arange(512, dtype="u1").reshape(8, 8, 8)
    replace_level(scene / "t1" / "0", data, chunks=(3, 8, 5))
    _, found = read(scene)
    assert np.array_equal(found[..., 8:16], data)


def test_a_coarse_level_of_another_shape_is_found_out_when_it_is_drawn(scene):
    replace_level(scene / "t1" / "1", np.full((2, 2, 2), 99, "u1"))
    source = open_mosaic_source(str(scene), MosaicOptions(spacing=(2, 2, 2)))
    tile = source.tiles[1]
    assert tile.source.info.pyramid.levels[1].shape_zyx == (4, 4, 4)
    found = source.read_storage_chunk(0, (0, 0, 0)).data
    assert tile.source.info.pyramid.levels[1].shape_zyx == (2, 2, 2)
    assert found[0, 0, 5] == 99
    assert {*found[0, 0, [0, -1]]} == {2, 22}


def test_an_image_with_other_transformations_is_opened_as_any(scene):
    names = ("zarr.json", ".zattrs")
    file = next(scene / "t1" / n for n in names if (scene / "t1" / n).exists())
    document = json.loads(file.read_text())
    text = json.dumps(document).replace("[1.0, 1.0, 1.0]", "[1.0, 1.0, 2.0]")
    file.write_text(text)
    source, _ = read(scene)
    sizes = [t.source.info.pyramid.levels[0].voxel_size_zyx[2] for t in source.tiles]
    assert sizes == [1, 2, 1]


def test_images_like_the_first_have_their_own_names_and_places(scene):
    source, _ = read(scene)
    for i, tile in enumerate(source.tiles):
        assert tile.source.info.uri.rstrip("/").endswith(f"t{i}")
        assert tile.source.places() == (scene / f"t{i}",) or i == 0
