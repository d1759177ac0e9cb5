"""Boxes and placement together are the matrix that a file writes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.model import Axis
from brickfield.sources.coordinates import affine_map
from brickfield.sources.geometry import Findings
from brickfield.sources.ome_zarr.placing import place, reordered
from brickfield.sources.ome_zarr.transforms import ImageMap
from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import ramp, write_image

ZYX = tuple(Axis(name) for name in "zyx")
TCZYX = (Axis("t", "time"), Axis("c", "channel"), *ZYX)
TURN = [[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]


def whole(placed, i):
    """The 4 x 4 matrix of a level of an image with the axes z, y, x."""
    box = placed.own[i].then(placed.outer)
    matrix = np.diag([*box.scale, 1.0])
    matrix[:3, 3] = box.translation
    return matrix if placed.placement is None else placed.placement.matrix @ matrix


@given(
    st.lists(st.floats(-2, 2), min_size=12, max_size=12),
    st.lists(st.floats(0.1, 5), min_size=3, max_size=3),
)
@settings(deadline=None)
def test_the_finest_level_lies_where_its_matrix_says(numbers, sizes):
    matrix = np.array(numbers).reshape(3, 4) + 5 * np.eye(3, 4)
    own = ImageMap(affine_map.then(affine_map.scaled(sizes), matrix), True)
    placed = place([own], ImageMap.identity(3), ZYX, ["l"], Findings())
    np.testing.assert_allclose(whole(placed, 0)[:3], own.matrix, atol=1e-9)


def test_levels_that_are_turned_alike_keep_their_own_sizes():
    turn = np.column_stack([np.array(TURN), [5.0, 6.0, 7.0]])
    fine = affine_map.then(affine_map.scaled([2, 1, 1]), turn)
    coarse = affine_map.scaled([4, 2, 2])
    coarse[:, -1] = [1, 0.5, 0.5]
    coarse = affine_map.then(coarse, turn)
    findings = Findings()
    maps = [ImageMap(fine, True), ImageMap(coarse, True)]
    placed = place(maps, ImageMap.identity(3), ZYX, ["a", "b"], findings)
    np.testing.assert_allclose(whole(placed, 0)[:3], fine, atol=1e-12)
    np.testing.assert_allclose(whole(placed, 1)[:3], coarse, atol=1e-12)
    assert findings.as_tuple() == ()


def test_a_level_that_is_turned_otherwise_follows_from_its_shape_with_a_finding():
    maps = [ImageMap(affine_map.identity(3)), ImageMap(np.eye(3, 4)[[1, 0, 2]], True)]
    findings = Findings()
    placed = place(maps, ImageMap.identity(3), ZYX, ["a", "b"], findings)
    assert not placed.own[1].has_scale
    assert [(f.code, f.path) for f in findings.as_tuple()] == [
        ("unsupported-transform", "b")
    ]


def test_what_only_stretches_and_shifts_needs_no_placement():
    outer = affine_map.scaled([2, 3, 4])
    outer[:, -1] = [5, 6, 7]
    placed = place([ImageMap.identity(3)], ImageMap(outer), ZYX, ["l"], Findings())
    assert placed.placement is None
    assert placed.outer.scale == (2, 3, 4)
    assert placed.outer.translation == (5, 6, 7)


def test_a_negative_size_mirrors():
    outer = ImageMap(affine_map.scaled([1, 1, -2]), True)
    placed = place([ImageMap.identity(3)], outer, ZYX, ["l"], Findings())
    np.testing.assert_array_equal(whole(placed, 0), np.diag([1.0, 1, -2, 1]))


def test_time_keeps_its_step_beside_a_turn_in_space():
    outer = affine_map.identity(5)
    outer[2:, 2:5] = TURN
    outer[0, 0], outer[0, -1] = 30.0, 4.0
    placed = place([ImageMap.identity(5)], ImageMap(outer), TCZYX, ["l"], Findings())
    box = placed.own[0].then(placed.outer)
    assert (box.scale[0], box.translation[0]) == (30, 4)
    np.testing.assert_array_equal(placed.placement.matrix[:3, :3], TURN)


@pytest.mark.parametrize("cell", [(0, 3), (3, 0), (0, 1)])
def test_what_mixes_space_with_other_axes_is_left_out_with_a_finding(cell):
    outer = affine_map.identity(5)
    outer[cell] = 1.0
    findings = Findings()
    placed = place([ImageMap.identity(5)], ImageMap(outer), TCZYX, ["l"], findings)
    assert placed.placement is None
    assert [f.code for f in findings.as_tuple()] == ["unsupported-transform"]


def test_coordinates_go_to_the_axes_that_are_named_alike():
    backwards = tuple(Axis(name) for name in "xyz")
    found = reordered(np.eye(3, 4), ZYX, backwards)
    np.testing.assert_array_equal(found, np.eye(3, 4)[[2, 1, 0]])


def test_axes_of_other_names_are_taken_in_their_order():
    others = tuple(Axis(name) for name in "kji")
    np.testing.assert_array_equal(reordered(np.eye(3, 4), ZYX, others), np.eye(3, 4))


def written(tmp_path, outer, *, data=None, inner=(2, 1, 1)):
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    level = {"type": "scale", "scale": list(inner), "input": {"path": "0"}}
    ends = {"input": {"name": "own"}, "output": {"name": "world"}}
    image = {
        "coordinateSystems": [{"name": n, "axes": axes} for n in ("world", "own")],
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [level | {"output": {"name": "own"}}],
            }
        ],
        "coordinateTransformations": [outer | ends],
    }
    attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
    data = ramp((4, 6, 8)) if data is None else data
    write_image(tmp_path / "a.zarr", [data], attributes, zarr_format=3)
    return open_source(tmp_path / "a.zarr").info


@pytest.mark.parametrize(
    ("outer", "rows"),
    [
        ({"type": "rotation", "rotation": TURN}, TURN),
        (
            {
                "type": "affine",
                "affine": np.column_stack([TURN, [1.0, 2, 3]]).tolist(),
            },
            np.column_stack([TURN, [1.0, 2, 3]]),
        ),
        ({"type": "mapAxis", "mapAxis": [2, 1, 0]}, np.eye(3)[[2, 1, 0]]),
        (
            {
                "type": "byDimension",
                "transformations": [
                    {
                        "transformation": {"type": "identity"},
                        "inputAxes": ["z"],
                        "outputAxes": ["z"],
                    },
                    {
                        "transformation": {
                            "type": "rotation",
                            "rotation": [[0, -1], [1, 0]],
                        },
                        "inputAxes": ["y", "x"],
                        "outputAxes": ["y", "x"],
                    },
                ],
            },
            [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        ),
        (
            {
                "type": "bijection",
                "forward": {"type": "rotation", "rotation": TURN},
                "inverse": {
                    "type": "rotation",
                    "rotation": np.transpose(TURN).tolist(),
                },
            },
            TURN,
        ),
    ],
)
def test_an_image_lies_where_its_further_system_says(tmp_path, outer, rows):
    info = written(tmp_path, outer)
    expected = np.eye(4)
    rows = np.asarray(rows, dtype=float)
    expected[:3, : rows.shape[1]] = rows
    np.testing.assert_allclose(
        info.world.matrix, expected @ np.diag([2.0, 1, 1, 1]), atol=1e-12
    )
    assert "unsupported-transform" not in {f.code for f in info.findings}


def test_a_singular_matrix_is_left_out_with_a_finding(tmp_path):
    outer = {"type": "affine", "affine": np.zeros((3, 4)).tolist()}
    info = written(tmp_path, outer)
    assert info.placement is None
    assert "unsupported-transform" in {f.code for f in info.findings}
