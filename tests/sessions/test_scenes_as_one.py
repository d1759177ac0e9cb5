"""All images of a scene are saved as the one that a viewer shows, where it lies."""

import numpy as np
import pytest
import zarr

from brickfield.scene import SceneSource
from brickfield.sessions import SessionContents, open_whole, pack, scene_of
from brickfield.testing.zarr_stores import write_group, write_image

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
VOLUMES = np.random.default_rng(0).integers(1, 250, (2, 10, 12, 14)).astype("u1")
SHIFTS = ([4.0, 7.0, -3.0], [0.0, -5.0, -10.0])


@pytest.fixture
def tiles(tmp_path):
    """Two tiles that overlap, neither at the origin."""
    transforms = [
        {
            "type": "translation",
            "translation": shift,
            "input": {"path": f"tile_{i}", "name": "own"},
            "output": {"name": "world"},
        }
        for i, shift in enumerate(SHIFTS)
    ]
    scene = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": transforms,
    }
    folder = tmp_path / "tiles.zarr"
    write_group(folder, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    for i in range(2):
        attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
        write_image(folder / f"tile_{i}", [VOLUMES[i]], attributes, zarr_format=3)
    return folder


@pytest.fixture
def contents(tiles):
    source = open_whole(str(tiles))
    yield SessionContents(scene_of([(str(tiles), source)]), {0: source})
    source.close()


def test_one_layer_lies_round_all_tiles(manager, contents):
    path = manager.save_session(contents, "s")
    (layer,) = manager.scene(path).layers
    assert manager.info(path)["bounds"] == [[-0.5, -5.5, -10.5], [13.5, 18.5, 10.5]]
    assert np.array(layer.transform)[:3, 3].tolist() == [0, -5, -10]
    # Another viewer makes the same grid of it.
    assert layer.source.margin == 0


def test_packed_voxels_are_those_of_all_tiles(manager, contents, tmp_path):
    path = manager.save_session(contents, "s")
    packed = pack(path, tmp_path / "p.ome.zarr")
    found = zarr.open_group(str(packed / "0"), mode="r")["0"][:]
    expected = np.zeros((14, 24, 21), "u1")
    for volume, shift in zip(VOLUMES, SHIFTS, strict=True):
        z, y, x = (int(s - low) for s, low in zip(shift, (0, -5, -10), strict=True))
        part = expected[z : z + 10, y : y + 12, x : x + 14]
        np.maximum(part, volume, out=part)
    np.testing.assert_array_equal(found, expected)


def test_a_chosen_tile_is_that_tile(manager, contents, tiles):
    one = contents.scene.layers[0].model_copy(
        update={
            "source": SceneSource(uri=str(tiles), series="tile_1"),
            "transform": None,
        }
    )
    scene = contents.scene.model_copy(update={"layers": (one,)})
    path = manager.save_session(scene, "s", mode="embed")
    found = zarr.open_group(str(path / "0"), mode="r")["0"][:]
    np.testing.assert_array_equal(found, VOLUMES[1])
