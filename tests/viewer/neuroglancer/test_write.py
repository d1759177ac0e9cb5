"""A scene as Neuroglancer's state, against states written by hand."""

import json
from dataclasses import replace
from math import pi, sqrt, tan

import pytest

from brickfield.scene import (
    SceneCamera,
    SceneExploration,
    SceneLayer,
    ScenePlane,
    SceneSource,
    SceneState,
    SceneViews,
)
from brickfield.viewer.neuroglancer.write import (
    Stored,
    Surroundings,
    color_of,
    neuroglancer_of,
)

ZARR = Stored("OME-Zarr 0.4 (zarr v2)")
LAYER = SceneLayer(
    name="nuclei",
    source=SceneSource(uri="https://example.org/a.zarr", channel=0),
    contrast=(100.0, 1800.0),
)
MICROMETRES = Surroundings(voxel_size=(4.0, 2.0, 1.0), metres=1e-6)
"""Voxels four times as deep as wide, twice as high."""
LOOKING = SceneCamera(
    position=(-60.0, 20.0, 10.0), target=(40.0, 20.0, 10.0), up=(0.0, -1.0, 0.0)
)
"""Along z, from 100 µm before."""
STATE = SceneState(
    layers=(LAYER,),
    views=SceneViews(cameras={"3D": LOOKING}),
    exploration=SceneExploration(cross_hair=(40.0, 20.0, 10.0)),
)


def written(state=STATE, *, stored=ZARR, around=MICROMETRES):
    return neuroglancer_of(state, [stored] * len(state.layers), around)


def with_layer(**changes):
    layer = LAYER.model_copy(update=changes)
    return STATE.model_copy(update={"layers": (layer,)})


def test_a_scene_of_anisotropic_voxels_is_the_state_written_by_hand():
    """Axes x, y, z in metres; positions in steps; zoom in the shortest step."""
    found = written()
    assert found.pop("projectionScale") == pytest.approx(200 * tan(pi / 8))
    assert found == {
        "dimensions": {"x": [1e-6, "m"], "y": [2e-6, "m"], "z": [4e-6, "m"]},
        "position": [10.0, 10.0, 10.0],
        "projectionOrientation": [0.0, 0.0, 0.0, 1.0],
        "layout": "3d",
        "layers": [
            {
                "type": "image",
                "name": "nuclei",
                "source": "zarr://https://example.org/a.zarr",
                "opacity": 1.0,
                "shaderControls": {"normalized": {"range": [100.0, 1800.0]}},
                "volumeRendering": "max",
            }
        ],
    }
    assert found.left_out == []


def test_a_state_is_plain_json():
    found = written()
    assert json.loads(json.dumps(found)) == found


def test_a_camera_that_looks_along_minus_y_is_a_quarter_about_x():
    camera = SceneCamera(position=(40, 90, 10), target=(40, 20, 10), up=(-1, 0, 0))
    views = SceneViews(cameras={"3D": camera})
    found = written(STATE.model_copy(update={"views": views}))
    expected = [sqrt(0.5), 0, 0, sqrt(0.5)]
    assert found["projectionOrientation"] == pytest.approx(expected)


def test_without_a_unit_lengths_are_steps_without_a_unit():
    found = written(around=replace(MICROMETRES, metres=None))
    assert found["dimensions"] == {"x": [1.0, ""], "y": [2.0, ""], "z": [4.0, ""]}


def test_parallel_rays_are_a_word_of_the_layout():
    camera = LOOKING.model_copy(update={"orthographic": True, "height": 55.0})
    views = SceneViews(cameras={"3D": camera})
    found = written(STATE.model_copy(update={"views": views}))
    assert found["layout"] == {"type": "3d", "orthographicProjection": True}
    assert found["projectionScale"] == 55.0


def test_a_slice_has_its_zoom_for_a_pixel():
    """120 µm on 400 pixels, and the shortest step is 1 µm."""
    camera = LOOKING.model_copy(update={"orthographic": True, "height": 120.0})
    views = SceneViews(layout="xy", cameras={"xy": camera})
    around = replace(MICROMETRES, heights_px={"xy": 400.0})
    found = written(STATE.model_copy(update={"views": views}), around=around)
    assert found["layout"] == "xy"
    assert found["crossSectionScale"] == pytest.approx(0.3)
    assert "crossSectionOrientation" not in found
    assert "projectionScale" not in found


def test_an_oblique_slice_is_a_turned_one():
    camera = SceneCamera(
        position=(40, 90, 10), target=(40, 20, 10), up=(-1, 0, 0), orthographic=True
    )
    views = SceneViews(layout="plane", cameras={"plane": camera})
    found = written(STATE.model_copy(update={"views": views}))
    assert found["layout"] == "xy"
    expected = [sqrt(0.5), 0, 0, sqrt(0.5)]
    assert found["crossSectionOrientation"] == pytest.approx(expected)


def test_volume_and_oblique_slice_are_neuroglancers_pair_at_a_point_of_the_plane():
    """The slice's camera looks along y at y 20; the plane was shifted to y 35."""
    camera = SceneCamera(
        position=(40, 90, 10), target=(40, 20, 10), up=(-1, 0, 0), orthographic=True
    )
    cameras = {"3D": LOOKING, "plane": camera}
    views = SceneViews(layout="3D+plane", cameras=cameras)
    where = SceneExploration(
        cross_hair=(1.0, 2.0, 3.0),
        plane=ScenePlane(position=(4.0, 35.0, 6.0), normal=(0.0, 1.0, 0.0)),
    )
    found = written(STATE.model_copy(update={"views": views, "exploration": where}))
    assert found["layout"] == "xy-3d"
    assert found["position"] == [10.0, 17.5, 10.0]


def test_time_is_a_further_axis_behind_space():
    where = SceneExploration(time=3, cross_hair=(40.0, 20.0, 10.0))
    around = replace(MICROMETRES, time=(0.5, "s"))
    found = written(STATE.model_copy(update={"exploration": where}), around=around)
    assert list(found["dimensions"].items())[-1] == ("t", [0.5, "s"])
    assert found["position"] == [10.0, 10.0, 10.0, 3.0]


def test_a_channel_of_ome_zarr_is_a_place_on_the_layers_own_axis():
    state = with_layer(source=SceneSource(uri="https://x.org/a.zarr", channel=2))
    (layer,) = written(state, stored=replace(ZARR, has_channels=True))["layers"]
    assert layer["localDimensions"] == {"c'": [1, ""]}
    assert layer["localPosition"] == [2]


def test_a_channel_of_precomputed_is_chosen_by_the_control():
    source = SceneSource(uri="precomputed://gs://b/em", channel=1)
    stored = Stored("neuroglancer precomputed", has_channels=True)
    (layer,) = written(with_layer(source=source), stored=stored)["layers"]
    assert layer["source"] == "precomputed://gs://b/em"
    assert layer["shaderControls"]["normalized"]["channel"] == [1]


def test_a_colour_is_a_control_of_a_shader():
    (layer,) = written(with_layer(colormap="#ff8000"))["layers"]
    assert layer["shaderControls"]["color"] == "#ff8000"
    assert "#uicontrol invlerp normalized" in layer["shader"]
    assert "#uicontrol vec3 color color" in layer["shader"]


@pytest.mark.parametrize(
    ("colormap", "color"),
    [
        ("gray", "#ffffff"),
        ("magenta", "#ff00ff"),
        (((0.0, 0, 0, 0, 1), (1.0, 1, 0.5, 0, 1)), "#ff8000"),
        ("viridis", None),
        (((0.0, 1, 1, 1, 1), (1.0, 0, 0, 0, 1)), None),
        ("no such colormap", None),
    ],
)
def test_one_colour_from_black_is_told_from_other_colours(colormap, color):
    layer = LAYER.model_copy(update={"colormap": colormap})
    assert color_of(layer) == color


def test_labels_are_a_segmentation_below_their_image():
    state = with_layer(
        kind="labels",
        opacity=0.25,
        visible=False,
        selected_label=7,
        source=SceneSource(uri="https://x.org/a.zarr", label="cells"),
    )
    (layer,) = written(state)["layers"]
    assert layer == {
        "type": "segmentation",
        "name": "nuclei",
        "source": "zarr://https://x.org/a.zarr/labels/cells",
        "visible": False,
        "selectedAlpha": 0.25,
        "segments": ["7"],
    }


@pytest.mark.parametrize(
    ("changes", "stored", "said"),
    [
        ({"source": "memory"}, None, "memory"),
        ({}, Stored("Imaris 5.5"), "Imaris"),
        (
            {"source": SceneSource(uri="https://x.org/a?token=TOKEN1")},
            ZARR,
            "password, token",
        ),
        ({"source": SceneSource(uri="/d/a.zarr", well="A/1")}, ZARR, "several"),
    ],
)
def test_a_layer_that_neuroglancer_cannot_show_is_left_out_and_told(
    changes, stored, said
):
    found = neuroglancer_of(with_layer(**changes), [stored], MICROMETRES)
    assert found["layers"] == []
    assert said in found.left_out[0]
    assert "TOKEN1" not in json.dumps(found) + found.left_out[0]


@pytest.mark.parametrize(
    ("changes", "stored", "said"),
    [
        ({"gamma": 2.0}, ZARR, "gamma"),
        ({"colormap": "viridis"}, ZARR, "colours"),
        ({"mode": "iso"}, ZARR, "mode iso"),
        ({"clip_box": ((0, 0, 0), (1, 1, 1))}, ZARR, "clip"),
        ({"opacity_curve": ((0.0, 0.0), (1.0, 1.0))}, ZARR, "curve"),
        ({}, replace(ZARR, is_moved=True), "elsewhere"),
        ({}, Stored("N5"), "half a voxel"),
        ({"source": SceneSource(uri="/d/a.zarr")}, ZARR, "on this machine"),
    ],
)
def test_what_a_layer_loses_is_told(changes, stored, said):
    found = neuroglancer_of(with_layer(**changes), [stored], MICROMETRES)
    assert len(found["layers"]) == 1
    assert said in " ".join(found.left_out)


def test_another_angle_of_view_is_told():
    views = SceneViews(cameras={"3D": LOOKING.model_copy(update={"fov": 35.0})})
    found = written(STATE.model_copy(update={"views": views}))
    assert "35°" in found.left_out[0]
