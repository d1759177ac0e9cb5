"""Axes in every spelling give as many axes as the array has."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import StoreFormatError
from brickfield.sources.geometry import Findings, spatial_positions
from brickfield.sources.ome_zarr.axes import read_axes

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from("xyzct"),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(["name", "type", "unit"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def read(value, rank, names=None):
    findings = Findings()
    axes = read_axes(value, rank, names=names, findings=findings, where="axes")
    return axes, {f.code for f in findings.as_tuple()}


def repeats(value):
    named = [item.get("name") if isinstance(item, dict) else item for item in value]
    names = [name for name in named if isinstance(name, str)]
    return len(set(names)) < len(names)


@given(ANYTHING, st.integers(1, 7))
def test_whatever_is_stored_there_are_axes_of_the_right_number(value, rank):
    with contextlib.suppress(StoreFormatError):
        axes = None
        axes, _ = read(value, rank)
    if axes is None:
        assert repeats(value)
        return
    assert len(axes) == rank
    assert 1 <= sum(a.kind == "space" for a in axes) <= 3
    positions = [p for p in spatial_positions(axes) if p >= 0]
    assert len(set(positions)) == len(positions) > 0


@pytest.mark.parametrize(
    ("value", "rank", "names", "code"),
    [
        ("zyx", "zyx", "zyx", None),
        ("xyz", "xyz", "xyz", None),
        ("tc", "tc", "tc", "no-space-axes"),
        ("yx", "zyx", "zyx", "axes-rank"),
        ("tczyx", "zyx", "zyx", "axes-rank"),
    ],
)
def test_names_are_kept_where_they_can_be(value, rank, names, code):
    axes, codes = read(list(value), len(rank))
    assert "".join(a.name for a in axes) == names
    assert codes == ({code} if code else set())


@pytest.mark.parametrize(
    "value",
    [
        ["x", "x"],
        ["c", "c", "y", "x"],
        [{"name": "z"}, {"name": "z"}, {"name": "x"}],
        ["x", "x", "y", "z"],
    ],
)
def test_two_axes_of_one_name_are_refused_with_the_way_out(value):
    with pytest.raises(
        StoreFormatError, match=r"different axis names.*--axes or axes="
    ):
        read(value, len(value))


def test_names_of_the_array_that_repeat_are_a_finding():
    axes, codes = read(["z"], 2, names=["x", "x"])
    assert "".join(a.name for a in axes) == "yx"
    assert codes == {"axes-rank", "duplicate-axes"}


def test_names_of_the_array_help_when_axes_do_not_fit():
    axes, codes = read(list("yx"), 3, names=["x", "y", "z"])
    assert [a.name for a in axes] == ["x", "y", "z"]
    assert codes == {"axes-rank"}


def test_a_type_that_contradicts_a_known_name_gives_way():
    axes, codes = read([{"name": "y", "type": "nonsense"}, {"name": "x"}], 2)
    assert [a.kind for a in axes] == ["space", "space"]
    assert codes == {"axis-type"}
