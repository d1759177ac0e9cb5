"""Holes in chunks are filled from coarser levels, against numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.loading import ChunkCache
from brickfield.planning import EXPORT
from brickfield.rendering.mending import octants_of
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource

EDGE = 48
"""Voxels of the volume; storage chunks have 8, chunks 16."""


@pytest.fixture
def fine():
    """Random voxels, none 0."""
    return np.random.default_rng(5).integers(1, 256, (EDGE,) * 3).astype(np.uint8)


@pytest.fixture
def open_source():
    """Stores with a cache of their own."""
    stores = []

    def make(source):
        stores.append(ChunkedImageStore(source, cache=ChunkCache(1 << 24)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def source_of(*levels):
    return MemorySource(list(levels), (8, 8, 8), chunk=(16, 16, 16))


def box(index, edge=8):
    return tuple(slice(i * edge, (i + 1) * edge) for i in index)


def enlarged(level, factor):
    for axis in range(3):
        level = level.repeat(factor, axis)
    return level


def finished(view):
    assert view.wait_until_complete(30)
    return view.image()[..., 0]


def view_of(make_view, layer_of, store, mode="mip", **look):
    policy = replace(EXPORT, forced_level=0)
    return make_view(
        layer_of(store, mode=mode, **look),
        size=(EDGE, EDGE),
        camera="ortho:z",
        policy=policy,
    )


@pytest.mark.parametrize(
    ("mode", "reduced"), [("mip", np.max), ("minip", np.min), ("average", np.mean)]
)
def test_good_voxels_of_a_damaged_brick_are_drawn_and_the_hole_is_coarser(
    make_view, layer_of, levels_of, open_source, fine, mode, reduced
):
    """In every mode, whatever lies on the ray."""
    levels = levels_of(fine, 3)
    source = source_of(*levels)
    expected = fine.copy()
    for index in ((0, 0, 1), (3, 2, 5)):
        source.fail(0, index)
        expected[box(index)] = enlarged(levels[1], 2)[box(index)]
    view = view_of(make_view, layer_of, open_source(source), mode)
    rows = np.round(reduced(expected.astype(float), axis=0))
    assert np.array_equal(finished(view), rows)
    assert set(np.unique(view.classes())) == {1, 2}


def test_where_the_next_level_is_damaged_too_the_one_after_it_stands_in(
    make_view, layer_of, levels_of, open_source, fine
):
    levels = levels_of(fine, 3)
    source = source_of(*levels)
    source.fail(0, (0, 0, 0))
    source.fail(1, (0, 0, 0))
    expected = fine.copy()
    expected[box((0, 0, 0))] = enlarged(levels[2], 4)[box((0, 0, 0))]
    view = view_of(make_view, layer_of, open_source(source))
    assert np.array_equal(finished(view), expected.max(axis=0))


def test_without_a_coarser_level_the_hole_has_the_fill_value_and_is_told(
    make_view, layer_of, open_source, fine
):
    """Pixels behind it count as failed, those beside it do not."""
    source = source_of(fine)
    source.fail(0, (1, 2, 3))
    view = view_of(make_view, layer_of, open_source(source))
    expected = fine.copy()
    expected[box((1, 2, 3))] = 0
    assert np.array_equal(finished(view), expected.max(axis=0))
    classes = view.classes()
    assert (classes[16:24, 24:32] == 4).all()
    assert np.count_nonzero(classes == 4) == 64
    assert np.count_nonzero(classes == 1) == EDGE**2 - 64


def test_another_try_heals_a_damaged_brick(
    make_view, layer_of, levels_of, open_source, fine
):
    source = source_of(*levels_of(fine, 2))
    source.fail(0, (1, 1, 1))
    view = view_of(make_view, layer_of, open_source(source))
    finished(view)
    (renderer,) = view.manager.renderers
    assert [f.key for f in renderer.failures] == ["0/c/1/1/1"]
    source.heal()
    assert renderer.retry_failed() == 1
    assert np.array_equal(finished(view), fine.max(axis=0))
    assert renderer.failures == []
    assert (view.classes() == 1).all()


def test_labels_keep_their_numbers_where_a_coarser_level_stands_in(
    make_view, layer_of, open_source
):
    """The hole shows the coarser level's labels and no mixture of them."""
    fine = np.repeat(np.arange(1, 4, dtype=np.uint16), 16)[:, None, None]
    fine = np.broadcast_to(fine, (EDGE,) * 3).copy()
    whole = open_source(source_of(fine, fine[::2, ::2, ::2].copy()))
    broken = source_of(fine, fine[::2, ::2, ::2].copy())
    broken.fail(0, (2, 1, 1))
    looks = {"is_labels": True, "interpolation": "nearest"}
    pictures = [
        finished(view_of(make_view, layer_of, store, **looks))
        for store in (whole, open_source(broken))
    ]
    assert np.array_equal(*pictures)


def test_an_octant_is_marked_when_a_voxel_in_it_lacks():
    """Octant x + 2 y + 4 z, parted in the middle of a whole chunk."""
    lacking = np.zeros((16, 16, 10), np.bool_)
    lacking[15, 0, 9] = True
    assert octants_of(lacking, (16, 16, 16)) == 1 << 5
    lacking[0, 8, 7] = True
    assert octants_of(lacking, (16, 16, 16)) == 1 << 5 | 1 << 2
