"""Coordinate transformations compose as matrices do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import StoreFormatError
from brickfield.sources.geometry import Findings
from brickfield.sources.ome_zarr.transforms import TransformReader

SIZES = st.floats(0.01, 100)
SHIFTS = st.floats(-1e3, 1e3)


def three(numbers):
    return st.lists(numbers, min_size=3, max_size=3)


STEPS = st.one_of(
    st.just({"type": "identity"}),
    three(SIZES).map(lambda v: {"type": "scale", "scale": v}),
    three(SHIFTS).map(lambda v: {"type": "translation", "translation": v}),
)
TRANSFORMS = st.recursive(
    STEPS,
    lambda inner: st.lists(inner, max_size=3).map(
        lambda v: {"type": "sequence", "transformations": v}
    ),
    max_leaves=5,
)


def as_matrix(item):
    matrix = np.eye(4)
    if item["type"] == "scale":
        matrix[:3, :3] = np.diag(item["scale"])
    if item["type"] == "translation":
        matrix[:3, 3] = item["translation"]
    for inner in item.get("transformations", []):
        matrix = as_matrix(inner) @ matrix
    return matrix


@given(st.lists(TRANSFORMS, max_size=4))
def test_lists_and_sequences_apply_from_first_to_last(items):
    found = TransformReader(3, Findings()).read(items, "t")
    matrix = as_matrix({"type": "sequence", "transformations": items})
    np.testing.assert_allclose(found.matrix, matrix[:3], rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"type": "scale", "scale": [0, 1, 1]}, "scale-value"),
        ({"type": "scale", "scale": ["a", 1, 1]}, "transform-values"),
        ({"type": "scale", "scale": [float("nan"), 1, 1]}, "transform-values"),
        ({"type": "scale", "path": "p"}, "unsupported-transform"),
        ({"type": "wobble"}, "unsupported-transform"),
        ("scale", "transform-type"),
    ],
)
def test_what_cannot_be_used_is_a_finding(item, code):
    findings = Findings()
    found = TransformReader(3, findings).read([item], "multiscales[0].t")
    assert found.matrix.tolist() == np.eye(3, 4).tolist()
    (finding,) = findings.as_tuple()
    assert finding.code == code
    assert finding.path.startswith("multiscales[0].t")


def test_numbers_that_are_written_as_texts_are_read_with_a_finding():
    findings = Findings()
    item = {"type": "scale", "scale": ["0.5", "2", 3]}
    found = TransformReader(3, findings).read([item], "t")
    assert np.diag(found.matrix).tolist() == [0.5, 2, 3]
    assert [f.code for f in findings.as_tuple()] == ["number-as-text"]


WRONG_LENGTHS = [
    {"type": "scale", "scale": [2, 3]},
    {"type": "scale", "scale": [9, 1, 2, 3]},
    {"type": "translation", "translation": [2]},
    {"type": "sequence", "transformations": [{"type": "scale", "scale": [2, 3]}]},
]


@pytest.mark.parametrize("item", WRONG_LENGTHS)
def test_numbers_for_more_or_fewer_axes_are_refused_with_the_way_out(item):
    with pytest.raises(StoreFormatError, match=r"one for each axis.*--scale or scale="):
        TransformReader(3, Findings()).read([item], "t")


@pytest.mark.parametrize("item", WRONG_LENGTHS)
def test_numbers_of_a_wrong_count_are_left_out_where_the_user_gives_the_size(item):
    findings = Findings()
    reader = TransformReader(3, findings, is_replaced=True)
    assert reader.read([item], "t").matrix.tolist() == np.eye(3, 4).tolist()
    assert reader.has_left_out
    assert [f.code for f in findings.as_tuple()] == ["transform-length"]
