"""The scene document round-trips exactly and refuses in one clear sentence."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera.presets import PRESETS
from brickfield.errors import BrickfieldError, SceneStateError
from brickfield.model import CameraState
from brickfield.model.appearance import LIGHTS, MODES
from brickfield.scene.document import (
    LAYOUTS,
    SceneCamera,
    SceneClipPlane,
    SceneExploration,
    SceneLayer,
    SceneLevelOfDetail,
    SceneLight,
    ScenePlane,
    SceneSource,
    SceneSpace,
    SceneState,
    SceneViews,
)
from brickfield.scene.layers import SceneMode

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "scene.md"

finite = st.floats(allow_nan=False, allow_infinity=False)
point = st.tuples(finite, finite, finite)
share = st.floats(0, 1)
words = st.text(min_size=1, max_size=12)
indices = st.none() | st.integers(0, 2**40)
direction = point.filter(any)
sources = st.builds(
    SceneSource,
    uri=words,
    series=st.none() | st.integers() | words,
    well=st.none() | words,
    label=st.none() | words,
    channel=indices,
    scale=st.none() | st.lists(finite, max_size=5).map(tuple),
    treat_403_as_missing=st.booleans(),
)
matrices = st.lists(finite, min_size=4, max_size=4).map(
    lambda v: ((2.0, 0.0, v[0]), (0.0, -0.5, v[1]), (0.0, 0.0, 1.0))
)
curves = st.lists(st.tuples(share, share), min_size=2, max_size=5).map(
    lambda c: tuple(sorted(c))
)
stops = st.lists(st.tuples(*[share] * 5), min_size=2, max_size=4).map(
    lambda c: tuple(sorted(c))
)
layers = st.builds(
    SceneLayer,
    name=st.text(max_size=12),
    source=st.just("memory") | sources,
    kind=st.sampled_from(["image", "labels"]),
    visible=st.booleans(),
    opacity=share,
    contrast=st.none() | st.tuples(finite, finite).filter(lambda c: c[0] < c[1]),
    gamma=st.floats(1e-3, 10),
    colormap=words | stops,
    opacity_curve=curves,
    mode=st.sampled_from(get_args(SceneMode)),
    iso_threshold=st.none() | finite,
    transform=st.none() | matrices,
    clip_box=st.none() | st.just(((-1.0, 0.0, 1e-300), (0.0, 0.0, 1e300))),
    clip_planes=st.lists(
        st.builds(
            SceneClipPlane, position=point, normal=direction, enabled=st.booleans()
        ),
        max_size=2,
    ).map(tuple),
    selected_label=st.none() | st.integers(-(2**63), 2**64 - 1),
)
cameras = st.builds(
    SceneCamera,
    position=point,
    target=st.just((0.5, 0.25, 0.125)),
    up=direction,
    orthographic=st.booleans(),
    fov=st.floats(1, 170),
    height=st.floats(1e-9, 1e9),
).filter(lambda c: c.position != c.target)
scenes = st.builds(
    SceneState,
    space=st.builds(SceneSpace, unit=st.text(max_size=8)),
    layers=st.lists(layers, max_size=3).map(tuple),
    views=st.builds(
        SceneViews,
        layout=st.sampled_from(LAYOUTS),
        light=st.builds(
            SceneLight,
            light=st.sampled_from(LIGHTS),
            shading=st.booleans(),
            depth_colour=st.booleans(),
        ),
        cameras=st.dictionaries(words, cameras, max_size=2),
    ),
    exploration=st.builds(
        SceneExploration,
        time=st.integers(0, 1000),
        positions=st.dictionaries(words, st.integers(), max_size=3),
        cross_hair=st.none() | point,
        plane=st.none() | st.builds(ScenePlane, position=point, normal=direction),
    ),
    lod=st.builds(SceneLevelOfDetail, forced_level=indices),
)

LAYER = {"name": "a", "source": "memory"}


@given(scenes)
def test_what_was_written_is_read_as_it_was(state):
    text = state.to_json()
    again = SceneState.from_json(text)
    assert again == state
    assert again.to_json() == text
    assert SceneState.from_dict(state.to_dict()) == state


def test_the_order_of_keys_does_not_depend_on_who_wrote():
    one = SceneExploration(positions={"b": 1, "a": 2})
    other = SceneExploration(positions={"a": 2, "b": 1})
    texts = [SceneState(exploration=e).to_json() for e in (one, other)]
    assert texts[0] == texts[1]
    assert list(json.loads(texts[0])) == [
        "version",
        "space",
        "layers",
        "views",
        "exploration",
        "lod",
    ]


def test_vectors_stand_on_one_line_and_texts_stay_untouched():
    layer = SceneLayer(name="[\n1\n]", source="memory", contrast=(1.0, 2.5))
    text = SceneState(layers=(layer,)).to_json()
    assert '\n      "contrast": [1.0, 2.5],\n' in text
    assert json.loads(text)["layers"][0]["name"] == "[\n1\n]"


def test_a_camera_keeps_all_but_the_picture():
    camera = CameraState((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), (0.0, -1.0, 0.0), (30, 20))
    again = SceneCamera.of(camera).camera((300, 200))
    assert again.position == camera.position
    assert again.viewport == (300, 200)
    assert again == SceneCamera.of(again).camera((300, 200))


def test_every_mode_and_axis_view_can_be_said():
    assert set(MODES) < set(get_args(SceneMode))
    assert {p for p in PRESETS if "back" not in p} < set(LAYOUTS)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"contrast": [5, 2]},
            "layers[2].contrast: expected two numbers, the lower first; found [5, 2]",
        ),
        (
            {"contrast": ["a", 2]},
            "layers[2].contrast[0]: expected a number; found 'a'",
        ),
        (
            {"contrast_limits": 1},
            "expected only known fields; found layers[2].contrast_limits:"
            " check its spelling",
        ),
        ({"mode": "mipp"}, "layers[2].mode: expected 'mip', 'minip', "),
        ({"source": {}}, "expected layers[2].source.uri; found nothing"),
        ({"colormap": [[0] * 5]}, "layers[2].colormap: expected a list of 2 or more"),
        (
            {"colormap": [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]},
            "layers[2].colormap: expected points with ascending positions",
        ),
        ({"gamma": 0}, "layers[2].gamma: expected a number above 0; found 0"),
        (
            {"opacity": 2, "gamma": 0},
            "layers[2].opacity: expected a number of at most 1; found 2"
            " (and 1 more to look at)",
        ),
        (
            {"iso_threshold": float("nan")},
            "layers[2].iso_threshold: expected a finite number; found nan",
        ),
        (
            {"transform": [[1, 0], [0, 1]]},
            "layers[2].transform: expected a square matrix",
        ),
        (
            {"transform": [[1, 0, 0], [0, 0, 0], [0, 0, 1]]},
            "layers[2].transform: expected a matrix that can be inverted",
        ),
        (
            {"transform": [[1, 0, 0], [0, 1, 0], [0, 0, 2]]},
            "layers[2].transform: expected a matrix whose last row is 0, …, 0, 1",
        ),
        (
            {"clip_planes": [{"position": [0, 0, 0], "normal": [0, 0, 0]}]},
            "layers[2].clip_planes[0].normal: expected a direction with a length",
        ),
        (
            {"clip_box": [[1, 1, 1], [0, 2, 2]]},
            "layers[2].clip_box: expected two corners, the lower first on every axis",
        ),
        ({"name": None}, "layers[2].name: expected a text; found None"),
    ],
)
def test_a_wrong_layer_is_named_with_its_place(change, sentence):
    data = {"version": 1, "layers": [LAYER, LAYER, LAYER | change]}
    with pytest.raises(SceneStateError) as caught:
        SceneState.from_dict(data)
    assert str(caught.value).startswith(sentence)
    assert isinstance(caught.value, BrickfieldError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "expected a scene document, an object; found list"),
        ({}, 'expected "version": 1 in a scene document; found None'),
        ({"version": True}, 'expected "version": 1 in a scene document; found True'),
        ({"version": 7}, "expected a scene document of version 1; found version 7"),
        (
            {"version": 1, "lyers": []},
            "expected only known fields; found lyers: check its spelling",
        ),
        (
            {"version": 1, "views": {"layout": "3d"}},
            "views.layout: expected '3D', 'xy', 'xz', 'yz', 'plane', '2x2' or '3D+plane'",
        ),
        (
            {
                "version": 1,
                "views": {"cameras": {"3D": {"position": [0] * 3, "target": [0] * 3}}},
            },
            "views.cameras.3D: expected a target that is not the position",
        ),
    ],
)
def test_a_wrong_document_is_refused(data, sentence):
    with pytest.raises(SceneStateError) as caught:
        SceneState.from_dict(data)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("text", ["{", b"\xff\xfe\x00", "[" * 100_000, ""])
def test_what_is_no_json_is_said_to_be_none(text):
    with pytest.raises(SceneStateError, match="expected a scene document in JSON"):
        SceneState.from_json(text)


def test_the_page_shows_a_document_that_can_be_read():
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    state = SceneState.from_json(example)
    assert [layer.kind for layer in state.layers] == ["image", "labels"]


def test_the_page_names_every_field():
    page = PAGE.read_text("utf-8")
    table = page[page.index("| field |") :]
    names = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`]*)`", table))))
    parts = [
        SceneState,
        SceneSpace,
        SceneLayer,
        SceneSource,
        SceneClipPlane,
        SceneViews,
        SceneLight,
        SceneCamera,
        SceneExploration,
        ScenePlane,
        SceneLevelOfDetail,
    ]
    for part in parts:
        assert set(part.model_fields) <= names
