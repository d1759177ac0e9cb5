"""What is read for a sampled level reaches the level below on the way."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.loading.storage import in_passing
from brickfield.sources import with_coarse_level
from brickfield.store import contrast
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, voxels_of

SHAPE = (128, 256, 272)
"""The least that a level is sampled from, in 2 x 4 x 5 chunks."""


@pytest.fixture
def below():
    values = np.random.default_rng(0).integers(0, 250, SHAPE, np.uint8)
    return MemorySource([values], (64, 64, 64))


def sampled_from(below):
    """Return a source with a sampled level, which ends as the one below does."""
    source = with_coarse_level(below)
    source.gate = below.gate
    return source


def taken_by(manager, n, visual_id="view"):
    """Take chunks as they come, as a view does."""
    taken = []
    while len(taken) < n:
        manager.wait(visual_id, 10)
        found = manager.take_ready(visual_id)
        assert found
        taken += found
    return taken


def looked_at(manager, *, begins=False):
    """Request the sampled level as a look at contrast does; return what waits for it."""
    look = contrast.WholeLevel(manager, 1, (), begins=begins)
    found = []
    thread = threading.Thread(target=lambda: found.append(look.values()))
    return thread, found


CUBES = [((n, n, n), share) for n in (32, 64, 128) for share in (2, 1, 0.5)]
PLANES = ((1, 256, 272), 4)
"""All chunks that are made together have to fit half of the budget."""


@pytest.mark.parametrize(("storage", "share"), [*CUBES, PLANES])
def test_each_storage_chunk_is_read_once_for_both_levels(manage, storage, share):
    """Also with room for a part of the level, as long as somebody takes the chunks."""
    values = np.random.default_rng(0).integers(0, 250, SHAPE, np.uint8)
    below = MemorySource([values], storage)
    manager = manage(sampled_from(below), ram_budget=int(values.nbytes * share))
    keys = all_keys(below)
    thread, found = looked_at(manager)
    manager.request_chunks(ask(keys, visual_id="view"), "view")
    thread.start()
    taken = taken_by(manager, len(keys))
    thread.join(20)
    assert set(below.reads.values()) == {1}
    assert manager.counters.rereads == 0
    assert manager.counters.decoded_chunks == len(below.reads)
    for chunk in taken:
        assert np.array_equal(chunk.data, voxels_of(below, chunk.key))
    # Chunks come in the order in which they are ready.
    sampled = with_coarse_level(below).read_storage_chunk(1, (0, 0, 0)).data
    assert len(found[0]) == np.prod(manager.source.info.pyramid.levels[1].shape_zyx)
    assert np.isin(np.unique(sampled), np.unique(found[0])).all()


def test_a_sample_does_not_wait_for_ever_for_what_nobody_takes(
    manage, below, monkeypatch
):
    """It is read without handing on, then."""
    monkeypatch.setattr(in_passing, "MOST_S", 0.05)
    manager = manage(sampled_from(below), ram_budget=4 << 20)
    thread, found = looked_at(manager)
    manager.request_chunks(ask(all_keys(below), visual_id="view"), "view")
    thread.start()
    thread.join(20)
    level = manager.source.info.pyramid.levels[1]
    assert len(found[0]) == np.prod(level.shape_zyx)
    assert len(taken_by(manager, 40)) == 40


def test_time_that_views_take_is_not_the_stores(manage, below, monkeypatch):
    """A look at contrast gives up on slow stores, not because a view is slow."""
    monkeypatch.setattr(contrast, "PATIENCE_S", 2.0)
    manager = manage(sampled_from(below), ram_budget=4 << 20)
    thread, found = looked_at(manager)
    manager.request_chunks(ask(all_keys(below), visual_id="view"), "view")
    thread.start()
    while manager.held_up_s < 2.5:
        thread.join(0.1)
    assert not found
    taken_by(manager, 40)
    thread.join(20)
    level = manager.source.info.pyramid.levels[1]
    assert len(found[0]) == np.prod(level.shape_zyx)
    assert set(below.reads.values()) == {1}


def test_a_corrupt_storage_chunk_costs_no_other(manage, below):
    below.fail(0, (0, 1, 1))
    manager = manage(sampled_from(below), ram_budget=1 << 26)
    thread, found = looked_at(manager)
    keys = all_keys(below)
    manager.request_chunks(ask(keys, visual_id="view"), "view")
    thread.start()
    taken = taken_by(manager, len(keys))
    thread.join(20)
    bad = [chunk for chunk in taken if chunk.data is None]
    assert [chunk.chunk_id.index for chunk in bad] == [(0, 1, 1)]
    assert found


def test_storage_chunks_that_are_not_stored_are_handed_on_too(manage, below):
    below.tells_missing = False
    below.missing = {(0, (1, y, x)) for y in range(4) for x in range(5)}
    manager = manage(sampled_from(below), ram_budget=1 << 26)
    thread, _ = looked_at(manager)
    keys = all_keys(below)
    manager.request_chunks(ask(keys, visual_id="view"), "view")
    thread.start()
    taken = taken_by(manager, len(keys))
    thread.join(20)
    assert sum(chunk.data is None for chunk in taken) == 20
    assert set(below.reads.values()) == {1}


def test_voxels_that_changed_while_they_were_read_are_read_again(manage, below):
    below.gate.clear()
    manager = manage(sampled_from(below), ram_budget=1 << 26)
    thread, _ = looked_at(manager)
    keys = all_keys(below)
    manager.request_chunks(ask(keys, visual_id="view"), "view")
    thread.start()
    assert below.wait_until_reading(4)
    below.arrays[0] = below.arrays[0] + np.uint8(1)
    manager.forget()
    below.gate.set()
    for chunk in taken_by(manager, len(keys)):
        assert np.array_equal(chunk.data, voxels_of(below, chunk.key))
    thread.join(20)
