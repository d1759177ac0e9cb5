"""Which way turns and shifts go."""

import json

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.transforms.operations import convention as c

EQUAL = (1.0, 1.0, 1.0)
UNITS = {"z": (1, 0, 0), "y": (0, 1, 0), "x": (0, 0, 1)}


def moved(matrix, name):
    return tuple(np.round(matrix[:3, :3] @ np.array(UNITS[name]), 12))


@pytest.mark.parametrize(
    ("about", "start", "end"), [("z", "x", "y"), ("x", "y", "z"), ("y", "z", "x")]
)
def test_a_positive_turn_takes_the_first_axis_to_the_second(about, start, end):
    turn = c.rotation(90, about, (0, 0, 0), EQUAL)
    assert moved(turn, start) == UNITS[end]
    assert moved(turn, about) == UNITS[about]
    assert np.linalg.det(turn) == 1


def test_a_turn_happens_in_space_not_in_indices():
    """A length along z is as long after a quarter turn, though voxels are not."""
    turn = c.rotation(90, "y", (0, 0, 0), (4.0, 1.0, 0.5))
    assert moved(turn, "z") == (0, 0, 8)
    assert moved(turn, "x") == (-0.125, 0, 0)


def test_the_centre_stays_where_it_is():
    centre = np.array([3.5, 2.0, 7.25, 1.0])
    turn = c.rotation(33, "x", centre[:3], (2.0, 1.0, 0.3))
    assert np.allclose(turn @ centre, centre, atol=1e-13)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, -90, 360, 450, -3600])
def test_quarter_turns_are_exact(degrees):
    turn = c.rotation(degrees, "z", (0, 0, 0), EQUAL)
    assert np.array_equal(turn, np.rint(turn))


def test_a_turn_and_its_opposite_are_nothing():
    there = c.rotation(37.5, "y", (1, 2, 3), (2, 1, 0.7))
    back = c.rotation(-37.5, "y", (1, 2, 3), (2, 1, 0.7))
    assert np.allclose(there @ back, np.eye(4), atol=1e-14)


def test_a_world_matrix_acts_between_voxel_centres():
    world = np.eye(4)
    world[:3, 3] = (10, 0, -3)
    own = c.in_voxels(world, (5, 2, 0.5), (100, 200, 300))
    assert np.allclose(own, c.translation((2, 0, -6)))


def test_planes_of_a_stack_lie_apart_by_their_perpendicular_distance():
    """At 90 degrees the stage moves straight away from the planes."""
    assert np.allclose(c.deskew(90, 3.0), np.diag([3.0, 1, 1, 1]))
    oblique = c.deskew(30, 2.0)
    assert np.allclose(oblique[:, 0], [2 * 0.5, 2 * np.sqrt(3) / 2, 0, 0])


def test_whole_steps_are_found_for_turned_and_mirrored_axes():
    matrix = np.array([[0, 1, 0, 5], [-1, 0, 0, 2], [0, 0, 1, -4], [0, 0, 0, 1.0]])
    assert c.whole_steps(matrix) == ((1, 0, 2), (1, -1, 1), (5, 2, -4))


@pytest.mark.parametrize(
    "change", [(0, 3, 0.5), (0, 0, 1 + 1e-9), (0, 0, 2), (0, 1, 1e-9)]
)
def test_steps_that_are_not_whole_are_none(change):
    matrix = np.eye(4)
    matrix[change[0], change[1]] = change[2]
    assert c.whole_steps(matrix) is None


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((4, 4)),
        np.diag([1, 1, 0, 1.0]),
        np.full((4, 4), np.nan),
        np.eye(3),
        [[1, 0, 0, 0]] * 4,
        "nothing",
        [[1, 2], [3]],
        np.diag([1, 1, 1, 2.0]),
    ],
)
def test_a_matrix_that_cannot_be_used_is_refused(matrix):
    with pytest.raises(OptionError, match="expected"):
        c.check_matrix(matrix)


@pytest.mark.parametrize(
    ("degrees", "axis", "centre", "size"),
    [
        (np.nan, "y", (0, 0, 0), EQUAL),
        (np.inf, "y", (0, 0, 0), EQUAL),
        ("abc", "y", (0, 0, 0), EQUAL),
        (1, "w", (0, 0, 0), EQUAL),
        (1, "y", (0, 0), EQUAL),
        (1, "y", (0, 0, 0), (1, 0, 1)),
        (1, "y", (0, 0, 0), (1, -1, 1)),
    ],
)
def test_a_turn_that_makes_no_sense_is_refused(degrees, axis, centre, size):
    with pytest.raises(OptionError, match="expected"):
        c.rotation(degrees, axis, centre, size)


@pytest.mark.parametrize(("angle", "step"), [(0, 1), (180, 1), (30, 0), (30, np.nan)])
def test_a_stack_without_an_angle_or_a_step_is_refused(angle, step):
    with pytest.raises(OptionError, match="expected"):
        c.deskew(angle, step)


def test_a_matrix_is_read_from_a_file(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(np.eye(4).tolist()))
    assert np.array_equal(c.read_matrix(path), np.eye(4))
    path.write_text(json.dumps({"matrix": np.eye(4).tolist()}))
    assert np.array_equal(c.read_matrix(path), np.eye(4))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "[[1,2],[3,4]]", '"x"', "[[NaN]]", "[" * 5000]
)
def test_a_file_without_a_matrix_is_refused_by_name(tmp_path, text):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(OptionError, match=r"m\.json"):
        c.read_matrix(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OptionError, match=r"absent\.json"):
        c.read_matrix(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.diag([1e30, 1e30, 1e30, 1.0]), "sizes"),
        (np.diag([1e-9, 1.0, 1.0, 1.0]), "sizes"),
        (c.translation((1e300, 0, 0)), "move"),
    ],
    ids=["larger", "smaller", "far"],
)
def test_a_move_beyond_all_images_is_refused(matrix, words):
    """Floats do not tell neighbouring voxels apart there."""
    with pytest.raises(OptionError, match=f"expected.*{words}"):
        c.check_voxel_matrix(matrix)


def test_what_an_image_may_need_is_no_such_move():
    c.check_voxel_matrix(
        c.translation((1e9, 0, 0)) @ np.diag([1000.0, 1.0, 0.001, 1.0])
    )
