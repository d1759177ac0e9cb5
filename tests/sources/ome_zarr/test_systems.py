"""The systems and transformations of a store become one graph."""

import numpy as np
import pytest
import zarr

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.sources.ome_zarr.systems import open_graph


def system(name, axes="yx"):
    return {"name": name, "axes": [{"name": a, "type": "space"} for a in axes]}


def write_group(path, *, scene=None, image=None):
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    ome = {"version": "0.6"}
    if scene is not None:
        ome["scene"] = scene
    if image is not None:
        ome["multiscales"] = [image]
    group.attrs["ome"] = ome
    return group


def tile(scale, *, further=()):
    """An image whose level 0 leads to 'own', and further systems beside."""
    level = {"type": "scale", "scale": scale, "output": {"name": "own"}}
    level["input"] = {"path": "0"}
    return {
        "coordinateSystems": [system("own"), *(system(n) for n, _ in further)],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
        "coordinateTransformations": [
            {**item, "input": {"name": "own"}, "output": {"name": name}}
            for name, item in further
        ],
    }


def moved(uri, source, target, point):
    graph = open_graph(str(uri))
    return graph.map_points(point, graph.find(source), graph.find(target)).tolist()


def test_a_scene_leads_from_one_image_to_another_through_its_own_system(tmp_path):
    to_world = [
        {
            "type": "translation",
            "translation": shift,
            "input": {"path": name, "name": "own"},
            "output": {"name": "world"},
        }
        for name, shift in (("a", [0, 0]), ("b", [5, 7]))
    ]
    scene = {
        "coordinateSystems": [system("world")],
        "coordinateTransformations": to_world,
    }
    write_group(tmp_path / "s.zarr", scene=scene)
    for name, scale in (("a", [1, 1]), ("b", [2, 3])):
        write_group(tmp_path / "s.zarr" / name, image=tile(scale))
    uri = tmp_path / "s.zarr"
    assert moved(uri, "a/own", "b/own", [5, 8]) == [0, 1]
    assert moved(uri, "b/0", "world", [1, 1]) == [7, 10]
    assert moved(uri, "a/0", "b/0", [9, 7]) == [2, 0]


def test_an_image_leads_to_its_further_systems(tmp_path):
    turn = {"type": "rotation", "rotation": [[0, -1], [1, 0]]}
    image = tile([2, 2], further=[("turned", turn)])
    write_group(tmp_path / "i.zarr", image=image)
    assert moved(tmp_path / "i.zarr", "0", "turned", [1, 3]) == [-6, 2]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_matrix_may_lie_in_an_array_beside_the_images(tmp_path, dtype):
    item = {"type": "affine", "path": "coordinateTransformations/m"}
    item |= {"input": "a", "output": "b"}
    scene = {
        "coordinateSystems": [system("a"), system("b")],
        "coordinateTransformations": [item],
    }
    group = write_group(tmp_path / "s.zarr", scene=scene)
    group.create_array(
        "coordinateTransformations/m", shape=(2, 3), dtype=dtype, chunks=(1, 2)
    )[...] = np.array([[1, 0, 5], [0, 2, 6]], dtype)
    assert moved(tmp_path / "s.zarr", "a", "b", [1, 2]) == [6, 10]


def test_a_missing_array_is_named(tmp_path):
    item = {"type": "affine", "path": "m", "input": "a", "output": "b"}
    scene = {
        "coordinateSystems": [system("a"), system("b")],
        "coordinateTransformations": [item],
    }
    write_group(tmp_path / "s.zarr", scene=scene)
    with pytest.raises(StoreFormatError, match="array of numbers at 'm'; found none"):
        moved(tmp_path / "s.zarr", "a", "b", [1, 2])


def test_a_path_out_of_the_store_is_not_followed(tmp_path):
    item = {"type": "affine", "path": "../m", "input": "a", "output": "b"}
    scene = {
        "coordinateSystems": [system("a"), system("b")],
        "coordinateTransformations": [item],
    }
    write_group(tmp_path / "s.zarr", scene=scene)
    with pytest.raises(StoreFormatError, match="found none there"):
        moved(tmp_path / "s.zarr", "a", "b", [1, 2])


def test_a_number_of_axes_that_does_not_fit_is_told(tmp_path):
    item = {"type": "affine", "affine": [[1, 0, 0]], "input": "a", "output": "b"}
    scene = {
        "coordinateSystems": [system("a"), system("b")],
        "coordinateTransformations": [item],
    }
    write_group(tmp_path / "s.zarr", scene=scene)
    with pytest.raises(StoreFormatError, match=r"2 axes of 'b'.*; found one to 1"):
        moved(tmp_path / "s.zarr", "a", "b", [1, 2])


def test_an_image_without_systems_has_none(tmp_path):
    write_group(tmp_path / "i.zarr", image={"datasets": [], "axes": []})
    assert open_graph(str(tmp_path / "i.zarr")).systems == {}


def test_a_place_without_zarr_metadata_is_told(tmp_path):
    with pytest.raises(StoreNotFoundError, match="no zarr metadata"):
        open_graph(str(tmp_path))
