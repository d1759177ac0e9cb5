"""Chunks that need the same share one record of it, as long as they fare alike."""

import gc
import weakref

import numpy as np

from brickfield.loading.assembly import Assembly
from brickfield.loading.needs import members_of, places_under, shared_needs
from brickfield.loading.retry import ReadFailure
from brickfield.loading.storage.scatter import MOST_ELEMENTS, scatter
from brickfield.loading.storage_layout import LevelLayout
from brickfield.model import ChunkId
from brickfield.testing import MemorySource
from brickfield.testing.loading import numbers

EDGE, N = 8, 4


def begun(storage=(1, N * EDGE, N * EDGE)):
    """Begin a layer of 4 × 4 chunks of 8³ at once; return data, layout and chunks."""
    data = numbers((EDGE, N * EDGE, N * EDGE), np.uint16)
    source = MemorySource([data], storage, chunk=(EDGE,) * 3)
    layout = LevelLayout.of(source.info.pyramid, 0)
    chunks = [ChunkId(0, index, ()) for index in np.ndindex(1, N, N)]
    places, flats = places_under(layout, chunks)
    records = shared_needs(layout, places, flats, set())
    listed = {}
    made = []
    for chunk, needs in zip(chunks, records, strict=True):
        made.append(Assembly(layout, chunk, needs))
        needs.join(made[-1], listed)
    return data, layout, made, listed


def hand_out(data, layout, z, listed):
    """Copy a plane to all that need it; return the chunks that it completes."""
    flat = layout.flat_of((z, 0, 0))
    records = [needs for needs in listed if flat in needs.pending]
    for needs in records:
        needs.make_buffers(data.dtype)
    scatter(flat, data[z : z + 1], records)
    return members_of(n for n in records if n.receive(flat, is_stored=True))


def voxels_of(data, chunk):
    z, y, x = chunk.origin
    return data[z : z + EDGE, y : y + EDGE, x : x + EDGE]


def test_chunks_under_the_same_planes_share_one_record():
    data, layout, made, listed = begun()
    assert len(listed) == 1
    done = [hand_out(data, layout, z, listed) for z in range(EDGE)]
    assert done[:-1] == [[]] * (EDGE - 1)
    assert done[-1] == made
    for chunk in made:
        assert np.array_equal(chunk.finish(0).data, voxels_of(data, chunk))


def test_chunks_under_other_storage_chunks_have_records_of_their_own():
    *_, listed = begun(storage=(1, N * EDGE, EDGE))
    assert len(listed) == N


def test_a_failure_of_one_is_none_of_the_others():
    data, layout, made, listed = begun()
    hand_out(data, layout, 0, listed)
    assert not made[3].fail(layout.flat_of((1, 0, 0)), ReadFailure("k", "late"))
    assert len(listed) == 2
    done = [hand_out(data, layout, z, listed) for z in range(1, EDGE)]
    # All but the plane that failed came for it, too.
    assert done[-1] == [*made[:3], *made[4:], made[3]]
    holed = made.pop(3).finish(9)
    assert [hole.low for hole in holed.holes] == [(1, 0, 0)]
    assert np.array_equal(holed.data[2:], voxels_of(data, made[2])[2:] + EDGE)
    assert all(chunk.finish(0).is_whole for chunk in made)


def test_a_failure_that_is_known_before_the_others_join_is_none_of_theirs():
    _, _, made, _ = begun()
    first, second = made[0], made[1]
    for chunk in made:
        chunk.needs.leave(chunk)
    first.needs.join(first, listed := {})
    first.fail(0, ReadFailure("k", "known"))
    second.needs.join(second, listed)
    assert 0 in second.needs.pending
    assert 0 not in first.needs.pending


def test_what_left_gets_nothing_more():
    data, layout, made, listed = begun()
    hand_out(data, layout, 0, listed)
    gone = made.pop(5)
    gone.needs.leave(gone)
    gone.buffer[...] = 7
    for z in range(1, EDGE):
        hand_out(data, layout, z, listed)
    assert (gone.buffer == 7).all()
    for chunk in made:
        assert np.array_equal(chunk.buffer, voxels_of(data, chunk))


def test_nothing_keeps_the_voxels_of_a_chunk_that_left():
    data, layout, made, listed = begun()
    for z in range(2):
        hand_out(data, layout, z, listed)
    gc.disable()
    try:
        left = [weakref.ref(chunk.buffer) for chunk in made]
        for chunk in made:
            chunk.needs.leave(chunk)
        del chunk, made
        assert not any(ref() is not None for ref in left)
    finally:
        gc.enable()
    assert not listed


def test_neighbours_are_copied_to_at_once_but_never_in_one_large_copy():
    data, layout, _, listed = begun()
    hand_out(data, layout, 0, listed)
    (needs,) = listed
    (targets,) = needs.targets.values()
    assert not targets.rest
    assert len(targets.runs) < len(needs.members)
    assert all(run.rows[:, :1].size <= MOST_ELEMENTS for run in targets.runs)
