"""Each kind of transformation becomes the map that the format defines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import StoreFormatError
from brickfield.sources.coordinates import affine_map
from brickfield.sources.coordinates.parse import Ends, TransformParser

TURN = [[0.0, -1.0], [1.0, 0.0]]
PARTS = [
    {
        "transformation": {"type": "affine", "affine": [[1, 2, 0], [3, 5, 0]]},
        "inputAxes": [0, 2],
        "outputAxes": [0, 2],
    },
    {
        "transformation": {"type": "scale", "scale": [10]},
        "inputAxes": [1],
        "outputAxes": [1],
    },
]


def there(item, point, ends=None, read=None):
    ends = ends or Ends(len(point))
    return affine_map.apply(TransformParser(read).parse(item, ends, "t").forward, point)


def back(item, point, ends=None):
    ways = TransformParser().parse(item, ends or Ends(len(point)), "t")
    return affine_map.apply(ways.backward, point)


@pytest.mark.parametrize(
    ("item", "point", "expected"),
    [
        ({"type": "identity"}, [1, 2], [1, 2]),
        ({"type": "scale", "scale": [10, -20]}, [1, 2], [10, -40]),
        ({"type": "translation", "translation": [10, 20]}, [1, 2], [11, 22]),
        ({"type": "rotation", "rotation": TURN}, [1, 2], [-2, 1]),
        ({"type": "affine", "affine": [[1, 1, 5], [0, 2, 0]]}, [1, 2], [8, 4]),
        ({"type": "affine", "affine": [[2, 3, 5]]}, [1, 2], [13]),
        ({"type": "mapAxis", "mapAxis": [2, 0, 1]}, [1, 2, 3], [3, 1, 2]),
        ({"type": "byDimension", "transformations": PARTS}, [1, 2, 3], [7, 20, 18]),
        (
            {
                "type": "sequence",
                "transformations": [
                    {"type": "translation", "translation": [1, 1]},
                    {"type": "scale", "scale": [2, 3]},
                ],
            },
            [1, 2],
            [4, 9],
        ),
        (
            {
                "type": "inverse",
                "transformation": {"type": "scale", "scale": [2, 4]},
            },
            [1, 2],
            [0.5, 0.5],
        ),
    ],
)
def test_a_kind_maps_a_point_as_the_format_says(item, point, expected):
    np.testing.assert_allclose(there(item, point), expected, atol=1e-12)
    if len(expected) == len(point):
        np.testing.assert_allclose(back(item, expected), point, atol=1e-12)


def test_the_two_ways_of_a_bijection_are_taken_as_they_are_written():
    item = {
        "type": "bijection",
        "forward": {"type": "translation", "translation": [1, 1]},
        "inverse": {"type": "translation", "translation": [10, 10]},
    }
    assert there(item, [1, 2]).tolist() == [2, 3]
    assert back(item, [1, 2]).tolist() == [11, 12]


@pytest.mark.parametrize("spelling", ["input_axes", "inputAxes"])
def test_parts_of_axes_may_be_spelled_in_both_ways_and_named(spelling):
    part = {"type": "scale", "scale": [3], spelling: ["x"]}
    part[spelling.replace("input", "output")] = ["x"]
    rest = {"type": "identity", spelling: ["y"]}
    rest[spelling.replace("input", "output")] = ["y"]
    item = {"type": "byDimension", "transformations": [part, rest]}
    assert there(item, [1, 2], Ends(2, ("y", "x"), ("y", "x"))).tolist() == [1, 6]


def test_numbers_may_lie_in_an_array_of_the_store():
    item = {"type": "affine", "path": "m"}
    rows = np.array([[1, 0, 5], [0, 1, 6]], np.float32)
    assert there(item, [1, 2], read={"m": rows}.__getitem__).tolist() == [6, 8]


def test_a_last_row_of_homogeneous_coordinates_is_no_axis():
    item = {"type": "affine", "affine": [[1, 0, 5], [0, 1, 6], [0, 0, 1]]}
    assert there(item, [1, 2]).tolist() == [6, 8]


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({"type": "displacements", "path": "d"}, "displacements"),
        ({"type": "coordinates", "path": "d"}, "coordinates"),
        ({"type": "projectAxis", "createdOutputs": [0]}, "projection"),
        ({"type": "wobble"}, "one of the types identity"),
        ({"type": ["scale"]}, "one of the types identity"),
        ("scale", "an object"),
        ({"type": "scale", "scale": [1, 0]}, "other than 0"),
        ({"type": "scale", "scale": [1, 2, 3]}, "2 numbers"),
        ({"type": "scale", "scale": [1, float("nan")]}, "finite"),
        ({"type": "scale"}, "finite numbers"),
        ({"type": "scale", "path": "s"}, "numbers in the metadata"),
        ({"type": "rotation", "rotation": [[1, 1], [1, 1]]}, "inverted"),
        ({"type": "affine", "affine": [[1, 0], [0, 1]]}, "rows of 3 numbers"),
        ({"type": "mapAxis", "mapAxis": [0, 0]}, "different axes"),
        ({"type": "mapAxis", "mapAxis": [0, 2]}, "axes from 0 to 1"),
        ({"type": "byDimension", "transformations": PARTS}, "axes from 0 to 1"),
        ({"type": "byDimension", "transformations": []}, "one entry or more"),
        ({"type": "inverse", "transformation": None}, "an object"),
    ],
)
def test_what_is_no_usable_map_is_refused_in_a_sentence(item, sentence):
    with pytest.raises(
        StoreFormatError, match=r"^expected .* in t.*; found "
    ) as caught:
        there(item, [1.0, 2.0])
    assert sentence in str(caught.value)


def test_transformations_that_lie_in_one_another_without_end_are_refused():
    item = {"type": "identity"}
    for _ in range(100):
        item = {"type": "inverse", "transformation": item}
    with pytest.raises(StoreFormatError, match="in one another"):
        there(item, [1.0])


KINDS = st.one_of(
    st.just({"type": "identity"}),
    st.lists(st.floats(0.1, 10), min_size=3, max_size=3).map(
        lambda v: {"type": "scale", "scale": v}
    ),
    st.permutations([0, 1, 2]).map(lambda v: {"type": "mapAxis", "mapAxis": v}),
    st.lists(st.floats(-9, 9), min_size=3, max_size=3).map(
        lambda v: {"type": "translation", "translation": v}
    ),
)
NESTED = st.recursive(
    KINDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(
            lambda v: {"type": "sequence", "transformations": v}
        )
        | inner.map(lambda v: {"type": "inverse", "transformation": v})
    ),
    max_leaves=6,
)


@given(NESTED, st.lists(st.floats(-9, 9), min_size=3, max_size=3))
def test_going_there_and_back_ends_where_it_began(item, point):
    np.testing.assert_allclose(back(item, there(item, point)), point, atol=1e-4)
