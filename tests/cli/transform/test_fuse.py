"""``brickfield fuse`` writes what a mosaic shows."""

import json

import numpy as np
import pytest

from brickfield.store import open_mosaic, open_store
from brickfield.testing.zarr_stores import write_group, write_image

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
VOLUMES = np.random.default_rng(0).integers(1, 250, (2, 10, 12, 14)).astype("u1")


@pytest.fixture
def scene(tmp_path):
    turn = [[1, 0, 0, 0], [0, 0.8, -0.6, 3], [0, 0.6, 0.8, 8]]
    transforms = [
        {
            "type": "affine",
            "affine": turn if i else np.eye(3, 4).tolist(),
            "input": {"path": f"tile_{i}", "name": "own"},
            "output": {"name": "world"},
        }
        for i in range(2)
    ]
    about = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": transforms,
    }
    root = tmp_path / "s.zarr"
    write_group(root, {"ome": {"version": "0.6", "scene": about}}, zarr_format=3)
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    for i, volume in enumerate(VOLUMES):
        attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
        write_image(root / f"tile_{i}", [volume], attributes, zarr_format=3)
    return root


@pytest.mark.parametrize("overlap", ["feather", "max", "mean", "first"])
def test_the_file_equals_the_mosaic_voxel_by_voxel(command, scene, tmp_path, overlap):
    out = tmp_path / "f.ome.zarr"
    ended = command("fuse", scene, out, "--overlap", overlap, "--json")
    assert ended.status == 0
    assert json.loads(ended.out)["complete"]
    with (
        open_store(out) as written,
        open_mosaic(scene, overlap=overlap, margin=0) as shown,
    ):
        assert np.array_equal(written.read(0), shown.read(0))
        np.testing.assert_allclose(written.transform, shown.transform)


def test_region_spacing_and_order_are_those_asked_for(command, scene, tmp_path):
    out = tmp_path / "f.ome.zarr"
    region, spacing = "0:8,-2:10,0:12", "2,1,1"
    options = ("--region", region, "--spacing", spacing, "--order", 0)
    assert command("fuse", scene, out, *options).status == 0
    with open_store(out) as written:
        assert written.pyramid.levels[0].voxel_size_zyx == (2, 1, 1)
        assert written.pyramid.levels[0].shape_zyx == (5, 13, 13)


def test_a_level_that_the_mosaic_lacks_is_refused(command, scene, tmp_path):
    out = tmp_path / "f.ome.zarr"
    ended = command("fuse", scene, out, "--level", 1)
    assert ended.status == 2
    assert "a level from 0 to 0" in ended.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--region", "1:2"), "Z0:Z1,Y0:Y1,X0:X1"),
        (("--spacing", "a"), "Z,Y,X"),
        (("--overlap", "sum"), "an overlap out of"),
        (("--order", "2"), "order 0 or 1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    command, scene, tmp_path, options, sentence
):
    ended = command("fuse", scene, tmp_path / "f.ome.zarr", *options)
    assert ended.status == 2
    assert sentence in ended.err
    assert not (tmp_path / "f.ome.zarr").exists()


@pytest.mark.parametrize("inside", ["", "tile_0", "tile_1", "tile_1/0", "new.ome.zarr"])
def test_it_never_writes_into_its_source(command, scene, inside):
    before = {p: p.read_bytes() for p in scene.rglob("*") if p.is_file()}
    ended = command("fuse", scene, scene / inside, "--overwrite")
    assert ended.status == 2
    assert {p: p.read_bytes() for p in scene.rglob("*") if p.is_file()} == before


def test_info_lists_tiles_and_systems(command, scene):
    about = json.loads(command("info", scene, "--json").out)
    assert [t["name"] for t in about["tiles"]] == ["tile_0", "tile_1"]
    assert about["tiles"][1]["matrix"][1] == [0, 0.8, -0.6, 3]
    assert about["tiles"][0]["shape"] == [10, 12, 14]
    assert about["tiles"][0]["time"] is None
    assert {"name": "world", "axes": ["z", "y", "x"]} in about["coordinate_systems"]


def test_info_tells_which_images_of_a_scene_are_left_out(command, scene):
    path = scene / "zarr.json"
    about = json.loads(path.read_text())
    transforms = about["attributes"]["ome"]["scene"]["coordinateTransformations"]
    transforms[1]["affine"][0][3] = float("nan")
    path.write_text(json.dumps(about))
    told = json.loads(command("info", scene, "--json").out)
    assert [t["name"] for t in told["tiles"]] == ["tile_0"]
    (finding,) = [f for f in told["findings"] if f["code"] == "tile-left-out"]
    assert "left 'tile_1' out" in finding["text"]


def test_info_lists_the_only_tile_of_a_scene(command, scene):
    path = scene / "zarr.json"
    about = json.loads(path.read_text())
    del about["attributes"]["ome"]["scene"]["coordinateTransformations"][0]
    path.write_text(json.dumps(about))
    told = json.loads(command("info", scene, "--json").out)
    assert [t["name"] for t in told["tiles"]] == ["tile_1"]
