"""A turned or mirrored image is drawn where its file says."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from brickfield.sources.ome_zarr import open_graph
from brickfield.store import open_store
from brickfield.store.requesting import ViewOptions
from brickfield.testing.zarr_stores import write_group, write_image
from brickfield.viewer.export.picture import render

LOOK = {"camera": "ortho:z", "contrast": (0, 255), "mode": "mip"}


def write_placed(folder, data, affine):
    axes = [{"name": a, "type": "space"} for a in "zyx"]
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": axes}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    scene = {
        "coordinateSystems": [{"name": "world", "axes": axes}],
        "coordinateTransformations": [
            {
                "type": "affine",
                "affine": np.asarray(affine, dtype=float)[:3].tolist(),
                "input": {"path": "tile", "name": "own"},
                "output": {"name": "world"},
            }
        ],
    }
    write_group(folder, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    ome = {"version": "0.6", "multiscales": [image]}
    write_image(folder / "tile", [data], {"ome": ome}, zarr_format=3)
    return folder


@pytest.fixture
def blocks():
    return np.random.default_rng(5).integers(0, 255, (70, 70, 70), dtype=np.uint8)


def quarter(axis_from, axis_to, n):
    m = np.eye(4)
    m[[axis_from, axis_to]] = m[[axis_to, axis_from]]
    m[axis_from] *= -1
    m[axis_from, 3] = n - 1
    return m


@pytest.mark.parametrize("plane", [(1, 2), (0, 1), (0, 2)])
def test_a_quarter_turn_in_a_file_shows_the_turned_volume_exactly(
    tmp_path, blocks, plane
):
    uri = write_placed(tmp_path / "s.zarr", blocks, quarter(*plane, 70))
    image = render(uri, size=(70, 70), **LOOK).image[..., 0]
    assert np.array_equal(image, np.rot90(blocks, axes=plane).max(axis=0))


def test_a_mirrored_axis_is_drawn_mirrored(tmp_path, blocks):
    affine = np.diag([1.0, 1, -1, 1])
    uri = write_placed(tmp_path / "s.zarr", blocks, affine)
    image = render(uri, size=(70, 70), **LOOK).image[..., 0]
    assert np.array_equal(image, blocks[:, :, ::-1].max(axis=0))


def test_a_slice_through_a_sheared_image_equals_scipy(tmp_path, blocks):
    affine = np.eye(4)
    affine[1, 2] = 1.0  # y grows by x
    uri = write_placed(tmp_path / "s.zarr", blocks, affine)
    # The sheared box reaches from -1 to 139, so row i shows y = i - 0.5.
    found = render(uri, size=(70, 140), slice="z=20", interpolation="linear", **LOOK)
    expected = affine_transform(
        blocks[20].astype(float),
        np.linalg.inv(affine[1:3, 1:3]),
        [-0.5, 0.0],
        output_shape=(140, 70),
        order=1,
        cval=-1e6,
    )
    inside = expected >= 0
    assert inside.mean() > 0.45
    difference = np.abs(found.image[..., 0] - expected)[inside]
    assert difference.max() <= 1.01


def test_the_store_tells_its_matrix(tmp_path, blocks):
    affine = quarter(0, 2, 70)
    uri = write_placed(tmp_path / "s.zarr", blocks, affine)
    with open_store(uri) as store:
        np.testing.assert_array_equal(store.transform, affine)


def test_a_request_finds_the_chunks_where_the_image_lies(tmp_path, blocks):
    affine = np.eye(4)
    affine[:3, 3] = [0, 1000, 0]
    affine[:3, :3] = quarter(0, 2, 70)[:3, :3]
    uri = write_placed(tmp_path / "s.zarr", blocks, affine)
    with open_store(uri) as store:
        options = ViewOptions((store.default_selection(),), world=store.info.world)
        corners = store.info.world.apply([[0, 0, 0], [69, 69, 69]])
        low, high = corners.min(axis=0), corners.max(axis=0)
        there = store.get_data_request(np.array([low, high]), visual_id="a")
        same = store.get_data_request(
            np.array([low, high]), visual_id="a", options=options
        )
        elsewhere = store.get_data_request(np.array([low, high]) - [0, 900, 0])
        assert len(there[0].keys) > 0
        assert there[0].keys.tolist() == same[0].keys.tolist()
        assert len(elsewhere[0].keys) == 0


def test_the_graph_and_the_picture_agree(tmp_path, blocks):
    affine = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    uri = write_placed(tmp_path / "s.zarr", blocks, affine)
    graph = open_graph(str(uri))
    world = graph.map_points([[1, 2, 3]], graph.find("tile/own"), graph.find("world"))
    with open_store(uri) as store:
        np.testing.assert_allclose(store.info.world.apply([[1, 2, 3]]), world)
