"""A chunk needs exactly the storage chunks under it, and its pieces make it up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.loading.assembly import Assembly, scatter
from brickfield.loading.storage_layout import (
    LevelLayout,
    check_selection,
    needed_storage_chunks,
    storage_names,
)
from brickfield.model import ChunkId, unpack_keys
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
    assembly = Assembly(layout, name, needs, set())
    assembly.make_buffer(np.dtype(np.uint16))
    for flat in needs:
        data = source.read_storage_chunk(0, layout.index_of(flat)).data
        assert data.shape == layout.storage_shape(flat)
        scatter(flat, data, [assembly])
        assembly.receive(flat, is_stored=True)
    assert np.array_equal(assembly.finish(0).data, voxels_of(source, key, selection))


@given(chunks())
def test_a_storage_chunk_lies_under_exactly_the_chunks_that_need_it(case):
    source, _, selection = case
    layout = LevelLayout.of(source.info.pyramid, 0)
    for key in all_keys(source).tolist():
        index = ChunkId.from_key(key).index
        for flat in range(int(np.prod(layout.grid))):
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


@given(sources(), st.data())
def test_a_flat_index_names_one_storage_chunk(source, data):
    layout = LevelLayout.of(source.info.pyramid, 0)
    flat = data.draw(st.integers(0, int(np.prod(layout.grid)) - 1))
    assert layout.index_of(flat) == np.unravel_index(flat, layout.grid)
    assert layout.indices_of(np.array([flat]))[0].tolist() == list(
        layout.index_of(flat)
    )


def test_a_flat_index_may_be_larger_than_a_32_bit_number():
    far = np.broadcast_to(np.uint8(0), (1, 1, 1))
    source = MemorySource([far], (1, 1, 1))
    layout = LevelLayout.of(source.info.pyramid, 0)
    object.__setattr__(layout, "grid", (100_000, 100_000, 100_000))
    flat = 99_999 * 100_000**2 + 5 * 100_000 + 7
    assert layout.index_of(flat) == (99_999, 5, 7)
    assert layout.indices_of(np.array([flat])).tolist() == [[99_999, 5, 7]]


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
