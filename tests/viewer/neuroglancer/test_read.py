"""Neuroglancer's states read: hand-written ones, and one as it is found."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import SceneStateError
from brickfield.model import CameraState
from brickfield.scene import (
    SceneCamera,
    SceneExploration,
    SceneLayer,
    SceneSource,
    SceneState,
    SceneViews,
)
from brickfield.viewer.neuroglancer.read import read_neuroglancer
from brickfield.viewer.neuroglancer.space import Turn, height_at_target
from brickfield.viewer.neuroglancer.write import Stored, Surroundings, neuroglancer_of

HALF = sqrt(0.5)
DIMENSIONS = {"x": [4e-9, "m"], "y": [4e-9, "m"], "z": [40, "nm"]}
AS_FOUND = {
    "title": "FAFB-like",
    "dimensions": DIMENSIONS,
    "position": [120000.5, 60000.5, 3000.5],
    "crossSectionScale": 2.5,
    "crossSectionDepth": -37.6,
    "projectionOrientation": [0.0, HALF, 0.0, HALF],
    "projectionScale": 262144,
    "layers": [
        {
            "type": "image",
            "source": {
                "url": "precomputed://gs://bucket/em/v14",
                "subsources": {"default": True, "bounds": True},
            },
            "tab": "rendering",
            "shader": "#uicontrol invlerp normalized(range=[40, 220])\nvoid main() {}",
            "toolBindings": {"A": "opacity"},
            "name": "em",
        },
        {
            "type": "segmentation",
            "source": ["zarr://https://x.org/a.zarr/labels/cells", "local://equiv"],
            "segments": ["720575940626838909", "12"],
            "name": "seg",
            "visible": False,
        },
        {"type": "annotation", "source": "local://annotations", "name": "notes"},
        {"type": "mesh", "source": "vtk://https://x.org/a.vtk", "name": "brain"},
    ],
    "showSlices": False,
    "selectedLayer": {"visible": True, "layer": "seg"},
    "layout": {"type": "4panel", "crossSections": {}},
}


def one_layer(**layer):
    state = {"layers": [{"name": "a", "type": "image", **layer}]}
    layers, _, left_out = read_neuroglancer(state)
    return (layers[0] if layers else None), left_out


def test_a_state_as_it_is_found_is_read_for_what_is_known():
    layers, view, left_out = read_neuroglancer(AS_FOUND)
    em, seg = layers
    assert (em.uri, em.channel) == ("precomputed://gs://bucket/em/v14", None)
    assert em.looks == {"visible": True, "contrast": (40.0, 220.0)}
    assert (seg.uri, seg.label) == ("https://x.org/a.zarr", "cells")
    assert seg.looks == {"visible": False}
    assert view.unit == "m"
    assert view.position == pytest.approx(
        (3000.5 * 40e-9, 60000.5 * 4e-9, 120000.5 * 4e-9)
    )
    assert view.section_pixel == pytest.approx(2.5 * 4e-9)
    assert view.projection_height == pytest.approx(262144 * 4e-9)
    assert view.projection.right == pytest.approx((-1, 0, 0))
    assert view.projection.away == pytest.approx((0, 0, 1))
    assert (view.layout, view.section) == ("2x2", None)
    told = "\n".join(left_out)
    for what in (
        "title",
        "crossSectionDepth",
        "showSlices",
        "selectedLayer",
        "'em': subsources of its source",
        "'em': toolBindings",
        "'seg': all its sources but the first",
        "'seg': which segments are seen",
        "'notes': it is of the type 'annotation'",
        "'brain': it is of the type 'mesh'",
    ):
        assert what in told


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("zarr://https://x.org/a.zarr", "https://x.org/a.zarr"),
        ("zarr3://s3://b/a.zarr/", "s3://b/a.zarr"),
        ("https://x.org/a.zarr/|zarr2:", "https://x.org/a.zarr"),
        ("https://x.org/a/|zarr3:b/0/", "https://x.org/a/b/0"),
        ("https://x.org/a/|zarr2:#dimension_separator=/", "https://x.org/a"),
        ("n5://gs://b/a.n5/s", "gs://b/a.n5/s"),
        ("gs://b/em/|neuroglancer-precomputed:", "precomputed://gs://b/em"),
        ("https://x.org/a.zarr", "https://x.org/a.zarr"),
        ("zarr://file:///data/my%20image.zarr", "/data/my image.zarr"),
    ],
)
def test_sources_in_both_spellings_are_addresses_that_open_here(source, uri):
    layer, left_out = one_layer(source=source)
    assert layer.uri == uri
    assert left_out == []


@pytest.mark.parametrize(
    "source", [None, "", [], {}, "dvid://https://x.org/a", "s3://b/a.zip|zip:a.nii", 3]
)
def test_a_source_that_is_not_known_leaves_its_layer_out(source):
    layer, left_out = one_layer(source=source)
    assert layer is None
    assert "source" in left_out[0]


def test_contrast_and_colour_are_taken_from_controls():
    layer, left_out = one_layer(
        source="zarr://https://x.org/a.zarr",
        shader="#uicontrol invlerp normalized\n#uicontrol vec3 color color\n",
        shaderControls={
            "color": "#FF8000",
            "normalized": {"range": [10, 200.5], "window": [0, 255], "channel": [1]},
        },
        opacity=0.75,
        blend="additive",
        volumeRendering="min",
    )
    assert layer.channel == 1
    assert layer.looks == {
        "visible": True,
        "contrast": (10.0, 200.5),
        "colormap": "#ff8000",
        "opacity": 0.75,
        "blending": "additive",
        "mode": "minip",
    }
    assert left_out == []


def test_a_place_on_the_layers_own_channel_axis_is_its_channel():
    layer, _ = one_layer(
        source="zarr://https://x.org/a.zarr",
        localDimensions={"c'": [1, ""]},
        localPosition=[2.5],
    )
    assert layer.channel == 2


def test_an_inverted_contrast_is_told():
    layer, left_out = one_layer(
        source="zarr://https://x.org/a",
        shaderControls={"normalized": {"range": [9, 1]}},
    )
    assert layer.looks["contrast"] == (1.0, 9.0)
    assert "inverted" in left_out[0]


def test_axes_in_the_order_z_y_x_are_a_mirror_image_which_is_told():
    """Right is z, down is y, away is x: a left-handed triple."""
    state = {
        "dimensions": {"z": [3, ""], "y": [2, ""], "x": [1, ""]},
        "position": [5, 6, 7],
    }
    _, view, left_out = read_neuroglancer(state)
    assert view.position == (15.0, 12.0, 7.0)
    assert view.projection.down == pytest.approx((0, 1, 0))
    assert view.projection.away == pytest.approx((0, 0, 1))
    assert "mirror" in left_out[0]


def test_axes_that_are_drawn_in_another_right_handed_order_turn_the_view():
    state = {"dimensions": DIMENSIONS, "displayDimensions": ["y", "z", "x"]}
    _, view, left_out = read_neuroglancer(state)
    assert view.projection.right == pytest.approx((0, 1, 0))
    assert view.projection.down == pytest.approx((1, 0, 0))
    assert view.projection.away == pytest.approx((0, 0, 1))
    assert left_out == []


@pytest.mark.parametrize(
    ("layout", "right", "down", "away"),
    [
        # A quarter about z: right is y, down is -x, away is z.
        pytest.param("xy", (0, 1, 0), (0, 0, -1), (1, 0, 0), id="xy"),
        # The xz panel shows away of the xy panel as down.
        pytest.param("xz", (0, 1, 0), (1, 0, 0), (0, 0, 1), id="xz"),
        pytest.param("yz", (-1, 0, 0), (0, 0, -1), (0, 1, 0), id="yz"),
    ],
)
def test_a_turned_slice_is_an_oblique_one(layout, right, down, away):
    state = {
        "dimensions": DIMENSIONS,
        "crossSectionOrientation": [0, 0, HALF, HALF],
        "layout": layout,
    }
    _, view, _ = read_neuroglancer(state)
    assert view.layout == "plane"
    assert view.section.right == pytest.approx(right, abs=1e-12)
    assert view.section.down == pytest.approx(down, abs=1e-12)
    assert view.section.away == pytest.approx(away, abs=1e-12)


def test_turned_slices_side_by_side_are_told():
    state = {
        "dimensions": DIMENSIONS,
        "crossSectionOrientation": [0, 0, HALF, HALF],
        "layout": "4panel",
    }
    _, view, left_out = read_neuroglancer(state)
    assert view.layout == "2x2"
    assert "crossSectionOrientation" in left_out[0]


def test_the_first_panel_of_a_row_is_taken():
    layout = {
        "type": "row",
        "children": [
            {"type": "viewer", "layers": ["a"], "layout": {"type": "3d"}},
            {"type": "viewer", "layers": ["b"], "layout": "xy"},
        ],
    }
    _, view, left_out = read_neuroglancer({"layout": layout})
    assert view.layout == "3D"
    assert "panels" in left_out[0]


@pytest.mark.parametrize(
    ("state", "field"),
    [
        (None, "state"),
        ([], "state"),
        ({}, "state"),
        ({"a": 1}, "state"),
        ({"layers": 3}, "layers"),
        ({"layers": [3]}, "layers[0]"),
        ({"dimensions": 3}, "dimensions"),
        ({"dimensions": {"x": [1]}}, "dimensions.x"),
        ({"dimensions": {"x": [0, "m"]}}, "dimensions.x"),
        ({"dimensions": {"x": [1, "miles"]}}, "dimensions.x"),
        ({"dimensions": {"x": [1, "m"], "y": [1, "s"]}}, "dimensions"),
        ({"dimensions": DIMENSIONS, "position": [1, 2]}, "position"),
        ({"dimensions": DIMENSIONS, "position": [1, 2, None]}, "position"),
        ({"dimensions": DIMENSIONS, "position": "123"}, "position"),
        ({"projectionScale": -1}, "projectionScale"),
        ({"crossSectionScale": float("nan")}, "crossSectionScale"),
        ({"projectionOrientation": [0, 0, 0, 0]}, "projectionOrientation"),
        ({"projectionOrientation": [0, 1]}, "projectionOrientation"),
    ],
)
def test_what_cannot_be_what_it_says_is_named_in_one_sentence(state, field):
    with pytest.raises(SceneStateError) as caught:
        read_neuroglancer(state)
    assert field in str(caught.value)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_token_in_what_is_left_out_is_masked():
    _, left_out = one_layer(source="dvid://https://x.org/a?token=TOKEN1")
    assert "TOKEN1" not in left_out[0]


place = st.tuples(*[st.floats(-1e4, 1e4)] * 3)


@given(
    place,
    place.filter(lambda v: np.linalg.norm(v) > 1),
    place.filter(lambda v: np.linalg.norm(v) > 1),
    st.floats(0.01, 100),
)
def test_what_is_written_is_read_the_same(target, way, up, size):
    """Orientation, zoom and position come back within a millionth."""
    position = tuple(np.add(target, way).tolist())
    camera = SceneCamera(position=position, target=target, up=up)
    scene = SceneState(
        layers=(SceneLayer(name="a", source=SceneSource(uri="https://x.org/a.zarr")),),
        views=SceneViews(cameras={"3D": camera}),
        exploration=SceneExploration(cross_hair=target),
    )
    around = Surroundings(voxel_size=(size, 2 * size, 0.3 * size), metres=1e-6)
    state = neuroglancer_of(scene, [Stored("OME-Zarr 0.5")], around)
    _, view, left_out = read_neuroglancer(state)
    assert left_out == []
    ours: CameraState = camera.camera((64, 64))
    assert np.array(view.position) == pytest.approx(
        np.multiply(target, 1e-6), rel=1e-9, abs=1e-15
    )
    assert view.projection_height == pytest.approx(1e-6 * height_at_target(ours))
    np.testing.assert_allclose(
        view.projection.matrix, Turn.of_camera(ours).matrix, atol=1e-9
    )
