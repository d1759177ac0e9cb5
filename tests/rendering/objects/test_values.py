"""Points, surfaces and lines are checked once and then plain."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.rendering.objects.values import Lines, Points, Surface

TRIANGLE = {"vertices": [[0, 0, 0], [0, 1, 0], [0, 0, 1]], "faces": [[0, 1, 2]]}


def test_one_size_colour_and_symbol_stand_for_all_points():
    points = Points(positions=np.zeros((3, 3)), sizes=4, colors=(1, 0, 0), symbols="x")
    assert points.sizes.tolist() == [4, 4, 4]
    assert points.colors.tolist() == [[1, 0, 0, 1]] * 3
    assert points.symbols == ("x",)
    assert points.colors.dtype == np.float32


def test_lists_of_paths_take_a_colour_a_path_or_a_point():
    paths = ([[0, 0, 0], [0, 0, 1]], [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    by_path = Lines(paths=paths, colors=[[1, 0, 0, 1], [0, 1, 0, 1]])
    assert by_path.colors[:, 0].tolist() == [1, 1, 0, 0, 0]
    by_point = Lines(paths=paths, colors=np.linspace(0, 1, 20).reshape(5, 4))
    assert by_point.colors.shape == (5, 4)


def test_colours_beyond_0_and_1_are_brought_back():
    points = Points(positions=np.zeros((1, 3)), colors=[[2, -1, np.nan, 1]])
    assert points.colors.tolist() == [[1, 0, 0, 1]]


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Points, {"positions": np.zeros((3, 2))}, r"positions of shape \(n, 3\)"),
        (Points, {"positions": [["a"] * 3]}, "numbers"),
        (Points, {"positions": np.zeros((3, 3)), "sizes": [1, 2]}, "one of sizes"),
        (Points, {"positions": np.zeros((3, 3)), "sizes": -1}, "0 or more"),
        (Points, {"positions": np.zeros((3, 3)), "colors": [1, 2]}, "colours of shape"),
        (
            Points,
            {"positions": np.zeros((3, 3)), "symbols": "sun"},
            "disc, ring, .*'sun'",
        ),
        (Points, {"positions": np.zeros((3, 3)), "symbols": ["x", "x"]}, "one symbol"),
        (Points, {"positions": np.zeros((3, 3)), "size_unit": "cm"}, "world, px"),
        (Surface, TRIANGLE | {"faces": [[0, 1, 3]]}, "rows 0 to 2 .*found 0 to 3"),
        (Surface, TRIANGLE | {"shading": "gouraud"}, "none, flat, smooth"),
        (Lines, {"paths": [np.zeros((3, 2))]}, "a path"),
        (Lines, {"paths": [np.zeros((3, 3))], "width": 0}, "above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(kind, arguments, message):
    with pytest.raises(OptionError, match=message):
        kind(**arguments)


@pytest.mark.parametrize(
    ("value", "is_empty"),
    [
        (Points(positions=[]), True),
        (Points(positions=[[np.nan, 0, 0]]), True),
        (Points(positions=[[0, 0, 0]]), False),
        (Points(positions=[[0, 0, 0]], visible=False), True),
        (Points(positions=[[0, 0, 0]], opacity=0), True),
        (Surface(vertices=[], faces=[]), True),
        (Surface(**TRIANGLE), False),
        (Lines(paths=()), True),
        (Lines(paths=([[0, 0, 0]],)), True),
        (Lines(paths=([[0, 0, 0], [0, 0, 1]],)), False),
    ],
)
def test_nothing_to_draw_is_known_before(value, is_empty):
    assert value.is_empty == is_empty


def test_faces_with_a_vertex_nowhere_are_left_out():
    vertices = [[0, 0, 0], [0, 1, 0], [0, 0, 1], [np.inf, 0, 0]]
    surface = Surface(vertices=vertices, faces=[[0, 1, 2], [1, 2, 3]])
    assert surface.faces.tolist() == [[0, 1, 2]]
    assert np.isfinite(surface.vertices).all()
