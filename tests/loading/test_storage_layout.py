"""A chunk needs exactly the storage chunks under it, and its pieces make it up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.loading.assembly import Assembly
from brickfield.loading.needs import Needs
from brickfield.loading.storage.scatter import scatter
from brickfield.loading.storage_layout import (
    LevelLayout,
    check_selection,
    needed_storage_chunks,
    storage_names,
)
from brickfield.model import Axis, ChunkId, Pyramid, ScaleLevel, unpack_keys
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, numbers, voxels_of

edges = st.integers(1, 9)


@st.composite
def sources(draw):
    """Any axes in any order, any shapes, any two grids."""
    axes = "".join(draw(st.permutations(draw(st.sampled_from(
        ["zyx", "yx", "czyx", "tcyx", "tzyx", "x"]
    )))))  # fmt: skip
    shape = tuple(draw(st.integers(1, 11 if a in "zyx" else 3)) for a in axes)
    storage = tuple(draw(st.integers(1, 12 if a in "zyx" else 3)) for a in axes)
    chunk = (draw(edges), draw(edges), draw(edges))
    return MemorySource([numbers(shape)], storage, axes=axes, chunk=chunk)


@st.composite
def chunks(draw):
    source = draw(sources())
    key = draw(st.sampled_from(all_keys(source).tolist()))
    pyramid = source.info.pyramid
    selection = tuple(
        draw(st.integers(0, pyramid.levels[0].shape[a] - 1)) for a in pyramid.other_axes
    )
    return source, key, selection


@given(chunks())
def test_putting_pieces_together_gives_what_numpy_slices(case):
    source, key, selection = case
    layout = LevelLayout.of(source.info.pyramid, 0)
    name = ChunkId.from_key(key, selection)
    needs = layout.needs(name.index, selection)
    record = Needs(layout, selection, needs, set())
    assembly = Assembly(layout, name, record)
    record.join(assembly, {})
    assembly.make_buffer(np.dtype(np.uint16))
    for flat in needs:
        data = source.read_storage_chunk(0, layout.index_of(flat)).data
        assert data.shape == layout.storage_shape(flat)
        scatter(flat, data, [record])
        record.receive(flat, is_stored=True)
    assert np.array_equal(assembly.finish(0).data, voxels_of(source, key, selection))


@given(chunks())
def test_a_storage_chunk_lies_under_exactly_the_chunks_that_need_it(case):
    source, _, selection = case
    layout = LevelLayout.of(source.info.pyramid, 0)
    for key in all_keys(source).tolist():
        index = ChunkId.from_key(key).index
        for place in np.ndindex(layout.grid):
            flat = layout.flat_of(place)
            ranges = layout.chunks_over(flat)
            is_over = layout.holds(flat, selection) and all(
                i in r for i, r in zip(index, ranges, strict=True)
            )
            assert is_over == (flat in layout.needs(index, selection))


@given(sources(), st.data())
def test_the_needs_of_many_chunks_are_the_union_of_their_needs(source, data):
    pyramid = source.info.pyramid
    keys = all_keys(source)
    some = data.draw(st.lists(st.sampled_from(keys.tolist()), max_size=8))
    selection = tuple(
        data.draw(st.integers(0, pyramid.levels[0].shape[a] - 1))
        for a in pyramid.other_axes
    )
    layout = LevelLayout.of(pyramid, 0)
    indices = unpack_keys(np.array(some, dtype=np.int64))[1]
    expected = {f for i in indices.tolist() for f in layout.needs(tuple(i), selection)}
    assert needed_storage_chunks(layout, indices, selection).tolist() == sorted(
        expected
    )


@given(sources())
def test_a_flat_index_names_one_storage_chunk(source):
    """In C order, as most stores lie on disk."""
    layout = LevelLayout.of(source.info.pyramid, 0)
    places = list(np.ndindex(layout.grid))
    flats = [layout.flat_of(place) for place in places]
    assert flats == sorted(set(flats))
    assert [layout.index_of(flat) for flat in flats] == places
    found = layout.indices_of(np.array(flats)).tolist()
    assert [tuple(index) for index in found] == places


@pytest.mark.parametrize("n", [10, 100_000, 1_000_000])
def test_a_flat_index_may_be_larger_than_a_32_bit_number(n):
    layout = LevelLayout.of(flat_pyramid((n, n, n)), 0)
    place = (n - 1, 5, 7)
    flat = layout.flat_of(place)
    assert flat < 1 << 63
    assert layout.index_of(flat) == place
    assert layout.indices_of(np.array([flat])).tolist() == [list(place)]


def flat_pyramid(shape):
    """An image of storage chunks of one voxel, of which nothing is stored."""
    one = (1.0, 1.0, 1.0)
    level = ScaleLevel(
        "0", shape, np.dtype("u1"), (1, 1, 1), one, (0.0,) * 3, (0, 1, 2), (64, 64, 64)
    )
    return Pyramid((Axis("z"), Axis("y"), Axis("x")), (level,))


@given(st.tuples(*[st.integers(1, 90)] * 3), st.tuples(*[st.integers(0, 5000)] * 3))
def test_storage_chunks_keep_their_names_while_an_image_grows(shape, more):
    before = LevelLayout.of(flat_pyramid(shape), 0)
    longer = tuple(n + m for n, m in zip(shape, more, strict=True))
    after = before.grown(flat_pyramid(longer))
    for place in [(0, 0, 0), tuple(n - 1 for n in shape)]:
        assert after.flat_of(place) == before.flat_of(place)
    last = tuple(n - 1 for n in longer)
    assert after.index_of(after.flat_of(last)) == last


def test_an_image_that_grows_beyond_all_names_is_refused():
    layout = LevelLayout.of(flat_pyramid((10, 1 << 24, 1 << 24)), 0)
    with pytest.raises(OptionError, match="open the image again"):
        layout.grown(flat_pyramid((10, 1 << 24, 1 << 30)))


def test_channels_in_one_storage_chunk_need_it_once():
    source = MemorySource(
        [numbers((3, 8, 8, 8))], (3, 8, 8, 8), axes="czyx", chunk=(4, 4, 4)
    )
    layouts = [LevelLayout.of(source.info.pyramid, 0)]
    keys = all_keys(source)
    assert storage_names(layouts, [((c,), keys) for c in range(3)]) == [(0, 0)]


@pytest.mark.parametrize("selection", [(), (0, 0), (3,), (-1,)])
def test_a_selection_that_the_image_lacks_is_refused(selection):
    source = MemorySource([numbers((3, 8, 8, 8))], (1, 8, 8, 8), axes="czyx")
    with pytest.raises(OptionError, match=r"expected .* found"):
        check_selection(source.info.pyramid, selection)


def test_of_the_places_that_were_asked_for_few_are_remembered():
    source = MemorySource(
        [np.zeros((2, 300, 300), np.uint8)], (1, 3, 3), chunk=(2,) * 3
    )
    layout = LevelLayout.of(source.info.pyramid, 0)
    for place in np.ndindex(layout.grid):
        flat = layout.flat_of(place)
        assert layout.index_of(flat) == place
        assert layout.origin_zyx(flat) == (place[0], 3 * place[1], 3 * place[2])
    assert len(layout._places) <= 4096
