"""Neuroglancer's state of a napari viewer, there and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

import brickfield as bf
from brickfield.errors import SceneStateError, StoreNotFoundError
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.layers.registry import docks_of, scene_of
from brickfield.testing.zarr_stores import write_image
from brickfield.viewer.neuroglancer import Turn, height_at_target

UNIT = "micrometer"
AXES = [
    {"name": "c", "type": "channel"},
    *({"name": n, "type": "space", "unit": UNIT} for n in "zyx"),
]
SCALE = [1.0, 4.0, 2.0, 0.5]


@pytest.fixture
def stored(tmp_path):
    """Two channels of anisotropic voxels in micrometres, as OME-Zarr."""
    data = np.random.default_rng(2).integers(0, 255, (2, 16, 24, 32), dtype=np.uint8)
    scales = [{"type": "scale", "scale": SCALE}]
    multiscale = {
        "version": "0.4",
        "axes": AXES,
        "datasets": [{"path": "0", "coordinateTransformations": scales}],
    }
    folder = tmp_path / "a.ome.zarr"
    return str(write_image(folder, [data], {"multiscales": [multiscale]}))


def with_image(viewer, stored):
    for layer in open_layers(stored):
        viewer.add_layer(layer)
    return viewer


@pytest.fixture
def viewer(stored):
    return with_image(ViewerModel(), stored)


def state_for(stored, **more):
    """A state written by hand."""
    return {
        "dimensions": {"x": [5e-7, "m"], "y": [2e-6, "m"], "z": [4e-6, "m"]},
        "position": [8.0, 6.0, 4.0],
        "layers": [
            {
                "type": "image",
                "name": "nuclei",
                "source": f"zarr://file://{stored}",
                "shaderControls": {"normalized": {"range": [10, 99]}},
                "localDimensions": {"c'": [1, ""]},
                "localPosition": [1],
            }
        ],
        "layout": "3d",
        **more,
    }


def test_positions_are_in_steps_of_the_voxels_and_lengths_in_metres(viewer, stored):
    viewer.dims.set_point((0, 1, 2), (16.0, 12.0, 4.0))
    state = bf.to_neuroglancer(viewer)
    assert state["dimensions"] == {
        "x": [pytest.approx(5e-7), "m"],
        "y": [pytest.approx(2e-6), "m"],
        "z": [pytest.approx(4e-6), "m"],
    }
    assert state["position"] == [8.0, 6.0, 4.0]
    assert [n["source"] for n in state["layers"]] == [f"zarr://file://{stored}"] * 2
    assert [n["localPosition"] for n in state["layers"]] == [[0], [1]]
    json.dumps(state)


def test_a_state_opens_its_layer_at_its_place(stored):
    viewer = ViewerModel()
    left_out = bf.from_neuroglancer(viewer, state_for(stored))
    (layer,) = viewer.layers
    assert layer.name == "nuclei"
    assert tuple(layer.contrast_limits) == (10, 99)
    assert scene_of(viewer).cross_hair == pytest.approx((16.0, 12.0, 4.0))
    assert left_out == []


def test_a_layer_without_a_channel_is_one_layer_for_each(stored):
    state = state_for(stored)
    for key in ("localDimensions", "localPosition"):
        del state["layers"][0][key]
    viewer = ViewerModel()
    bf.from_neuroglancer(viewer, state)
    assert [layer.name for layer in viewer.layers] == ["nuclei", "nuclei: 1"]


def test_layers_that_are_open_are_kept(viewer, stored):
    first, second = viewer.layers
    bf.from_neuroglancer(viewer, state_for(stored))
    assert list(viewer.layers) == [second]
    assert first is not second


def test_layers_contrast_and_colour_come_back(viewer):
    first, second = viewer.layers
    first.colormap, second.colormap = "gray", "green"
    first.contrast_limits, second.contrast_limits = (3, 70), (5, 90)
    second.visible = False
    other = ViewerModel()
    bf.from_neuroglancer(other, bf.to_neuroglancer(viewer))
    assert [tuple(n.contrast_limits) for n in other.layers] == [(3, 70), (5, 90)]
    assert [n.visible for n in other.layers] == [True, False]
    assert other.layers[1].colormap.map([1.0]).ravel() == pytest.approx(
        second.colormap.map([1.0]).ravel(), abs=0.01
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"position": [1]}, SceneStateError),
        ({"layers": [{"type": "image", "source": "zarr:///gone.zarr"}]}, None),
        (
            {"layers": [{"type": "image", "source": "file:///gone/a.zarr"}]},
            StoreNotFoundError,
        ),
        ({"layers": [3]}, SceneStateError),
    ],
)
def test_a_state_that_cannot_be_shown_changes_nothing(viewer, stored, change, error):
    before = bf.get_state(viewer).to_json()
    if error is None:
        left_out = bf.from_neuroglancer(ViewerModel(), state_for(stored, **change))
        assert "source" in left_out[0]
    else:
        with pytest.raises(error):
            bf.from_neuroglancer(viewer, state_for(stored, **change))
    assert bf.get_state(viewer).to_json() == before


def test_a_channel_that_is_not_there_changes_nothing(viewer, stored):
    before = bf.get_state(viewer).to_json()
    state = state_for(stored)
    state["layers"][0]["localPosition"] = [7]
    with pytest.raises(SceneStateError, match="channel 7"):
        bf.from_neuroglancer(viewer, state)
    assert bf.get_state(viewer).to_json() == before


def test_units_that_have_nothing_in_common_are_told(stored):
    viewer = ViewerModel()
    state = state_for(stored)
    state["dimensions"] = {"x": [1, ""], "y": [1, ""], "z": [1, ""]}
    left_out = bf.from_neuroglancer(viewer, state)
    assert len(viewer.layers) == 1
    assert "units" in left_out[0]


def test_a_moved_layer_is_told(viewer):
    viewer.layers[0].translate = (0, 5, 5, 5)[-viewer.layers[0].ndim :]
    left_out = bf.to_neuroglancer(viewer).left_out
    assert any("elsewhere" in what for what in left_out)


# -- cameras -----------------------------------------------------------------------


def same_look(mine, theirs):
    size = height_at_target(mine)
    assert height_at_target(theirs) == pytest.approx(size, rel=1e-6)
    np.testing.assert_allclose(theirs.target, mine.target, atol=1e-6 * size)
    np.testing.assert_allclose(
        Turn.of_camera(theirs).matrix, Turn.of_camera(mine).matrix, atol=1e-6
    )


def on_the_plane(point, viewer):
    plane = bf.get_state(viewer).exploration.plane
    normal = np.asarray(plane.normal) / np.linalg.norm(plane.normal)
    beside = np.subtract(point, plane.position) @ normal
    return tuple((point - beside * normal).tolist())


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize("layout", ["3D", "xy", "plane"])
def test_the_view_comes_back_within_a_millionth(stored, make_napari_viewer, layout):
    viewer = make_napari_viewer()
    bf.open_volume(stored, viewer)
    (view,) = bf.open_views(viewer, layout)
    if layout == "plane":
        view.normal = (1.0, 2.0, -0.5)
    camera = view.camera
    away = np.subtract(camera.position, camera.target)
    view.camera = moved = replace(
        camera,
        target=(20.0, 13.0, 6.0),
        position=tuple(np.add(away, (20, 13, 6)).tolist()),
        height=camera.height / 3,
    )
    if layout == "plane":
        # A section goes through the position, so the target comes back on the plane.
        moved = replace(moved, target=on_the_plane(moved.target, viewer))
    state = bf.to_neuroglancer(viewer)
    view.fit()
    bf.from_neuroglancer(viewer, json.loads(json.dumps(state)))
    (dock,) = docks_of(viewer)
    assert dock.layout_name == layout
    same_look(moved, dock.views[0].camera)


@pytest.mark.usefixtures("adapter")
def test_a_volume_looks_as_the_state_written_by_hand_says(stored, make_napari_viewer):
    """A third about the diagonal: right is y, down is z, away is x."""
    viewer = make_napari_viewer()
    bf.open_volume(stored, viewer)
    more = {"projectionOrientation": [0.5, 0.5, 0.5, 0.5], "projectionScale": 100}
    bf.from_neuroglancer(viewer, state_for(stored, **more))
    camera = bf.view_of(viewer).camera
    turn = Turn.of_camera(camera)
    np.testing.assert_allclose(turn.right, (0, 1, 0), atol=1e-6)
    np.testing.assert_allclose(turn.down, (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(turn.away, (0, 0, 1), atol=1e-6)
    assert camera.target == pytest.approx((16.0, 12.0, 4.0))
    # 100 of the shortest step, half a micrometre.
    assert height_at_target(camera) == pytest.approx(50.0)
