"""Each form of a camera specification is understood, or refused with the wrong part."""

import json

import pytest

from brickfield.camera.spec import (
    FitCamera,
    LookAtCamera,
    OrbitCamera,
    OrthoCamera,
    camera_spec,
)
from brickfield.errors import OptionError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fit", FitCamera()),
        ("ortho:z", OrthoCamera("z")),
        ("ortho:y", OrthoCamera("y")),
        ("ortho:x", OrthoCamera("x")),
        ("orbit:30,-20", OrbitCamera(30, -20, 1)),
        ("orbit:30,20,1.5", OrbitCamera(30, 20, 1.5)),
    ],
)
def test_short_forms_are_understood(text, expected):
    assert camera_spec(text) == expected


def test_a_json_object_gives_a_camera_in_world_units():
    text = json.dumps(
        {
            "position": [-100, 5, 6],
            "target": [4, 5, 6],
            "up": [0, -1, 0],
            "fov": 30,
            "orthographic": True,
            "height": 12.5,
        }
    )
    assert camera_spec(text) == LookAtCamera(
        (-100.0, 5.0, 6.0), (4.0, 5.0, 6.0), (0.0, -1.0, 0.0), 30.0, True, 12.5
    )


def test_a_mapping_means_the_same_as_its_json():
    fields = {"position": (0, 0, 0), "target": (1, 0, 0)}
    assert camera_spec(fields) == camera_spec(json.dumps(fields))
    assert camera_spec(fields) == LookAtCamera((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))


def test_a_specification_stays_what_it_is():
    camera = OrbitCamera(1, 2, 3)
    assert camera_spec(camera) is camera


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "fit"),
        ("ortho:w", "ortho:w"),
        ("orbit:1", "azimuth"),
        ("orbit:a,b", "azimuth"),
        ("orbit:1,2,3,4", "azimuth"),
        ("orbit:nan,0", "azimuth"),
        ("orbit:0,91", "elevation"),
        ("orbit:0,0,0", "zoom"),
        ("{nonsense", "JSON"),
        ('{"position": [0, 0, 0]}', "target"),
        ('{"position": [0, 0], "target": [0, 0, 1]}', "position"),
        ('{"position": [0, 0, 0], "target": [0, 0, 0]}', "differ"),
        ('{"position": [0, 0, 0], "target": [1, 0, 0], "up": [0, 0, 0]}', "up"),
        ('{"position": [0, 0, 0], "target": [1, 0, 0], "fov": 180}', "fov"),
        ('{"position": [0, 0, 0], "target": [1, 0, 0], "fov": true}', "fov"),
        ('{"position": [0, 0, 0], "target": [1, 0, 0], "height": 0}', "height"),
        ('{"position": [0, 0, 0], "target": [1, 0, 0], "zoom": 2}', "zoom"),
        ('{"position": [0,0,0], "target": [1,0,0], "orthographic": 1}', "orthographic"),
    ],
)
def test_what_is_no_camera_is_refused_with_the_part_that_is_wrong(text, word):
    with pytest.raises(OptionError, match=word):
        camera_spec(text)
