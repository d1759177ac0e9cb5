"""The registrations of all views together are what they are one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import StoreFormatError
from brickfield.sources.bdv import xml
from brickfield.sources.bdv.maps import ViewMaps

NUMBERS = st.floats(-9, 9).map(lambda v: round(v, 3))
TEXTS = st.one_of(
    st.lists(NUMBERS, min_size=12, max_size=12).map(lambda v: " ".join(map(str, v))),
    st.sampled_from(["", "1 2 3", "a " * 12, "nan " * 12, "0 " * 12, "1e999 " * 12]),
)
VIEWS = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 2), st.integers(0, 2)), st.lists(TEXTS, max_size=3)
    ),
    max_size=8,
)


def one_by_one(texts):
    """Compose the maps of one view as the format says it, (z, y, x)."""
    whole = np.eye(4)
    for text in texts:
        try:
            numbers = np.array([float(v) for v in text.split()])
        except ValueError:
            numbers = np.empty(0)
        if numbers.shape != (12,):
            numbers = np.full(12, np.nan)
        with np.errstate(all="ignore"):
            whole = whole @ np.vstack([numbers.reshape(3, 4), [0, 0, 0, 1]])
    return whole[[2, 1, 0, 3]][:, [2, 1, 0, 3]]


def is_usable(matrix):
    with np.errstate(all="ignore"):
        size = np.linalg.norm(matrix[:3, :3], axis=0)
        return (
            np.isfinite(matrix).all()
            and np.isfinite(size).all()
            and size.all()
            and np.linalg.cond(matrix[:3, :3] / size) <= 1e12
        )


@given(VIEWS)
def test_all_maps_are_those_of_each_view_by_itself(views):
    maps = ViewMaps.of(views)
    expected = {view: one_by_one(texts) for view, texts in views}
    usable = maps.usable()
    assert list(maps.rows) == list(expected)
    assert usable.keys() == {v for v, m in expected.items() if is_usable(m)}
    for view, found in usable.items():
        np.testing.assert_allclose(found.matrix, expected[view], rtol=1e-12, atol=1e-9)


@given(VIEWS)
def test_a_setup_has_its_first_usable_map_in_the_order_of_times(views):
    maps, times = ViewMaps.of(views), (2, 0)
    found = maps.firsts(times)
    usable = maps.usable()
    for setup in range(3):
        known = [t for t in times if (t, setup) in maps.rows]
        good = [t for t in known if (t, setup) in usable]
        expected = maps.rows[good[0], setup] if good else None
        assert found.get(setup, "none") == (expected if known else "none")


def test_the_parts_of_a_map_give_it_again():
    text = "0.6 -0.8 0 3 0.8 0.6 0 4 0 0 2 5"
    maps = ViewMaps.of([((0, 0), [text])])
    size, shift, rest = maps.parted(0)
    box = np.diag([*size, 1.0])
    box[:3, 3] = shift
    np.testing.assert_allclose(rest.matrix @ box, one_by_one([text]))
    assert size == (2.0, 1.0, 1.0)


def test_more_views_than_can_be_gone_through_are_refused():
    """Both numbers are small for themselves."""
    setups = "<ViewSetup><id>0</id></ViewSetup>" * 11
    text = (
        '<SpimData><SequenceDescription><ImageLoader format="bdv.n5"><n5>d</n5>'
        f"</ImageLoader><ViewSetups>{setups}</ViewSetups>"
        '<Timepoints type="range"><first>0</first><last>999999</last></Timepoints>'
        "</SequenceDescription></SpimData>"
    )
    with pytest.raises(StoreFormatError, match="1000000 time points of 11 setups"):
        xml.parse(text.encode(), "a.xml")
