"""Memory of chunks: used again, but never while something shows it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.loading.cache.voxel_memory import (
    BLOCK_BYTES,
    MOST_BYTES,
    VoxelMemory,
    rows_of,
)

SHAPE, DTYPE = (64, 64, 64), np.dtype(np.uint16)
PER_BLOCK = BLOCK_BYTES // (64**3 * 2)


@pytest.fixture
def memory():
    return VoxelMemory()


def address(array):
    return array.__array_interface__["data"][0]


def test_arrays_are_plain_and_apart(memory):
    arrays = [memory.empty(SHAPE, DTYPE) for _ in range(3 * PER_BLOCK)]
    for i, array in enumerate(arrays):
        assert (array.shape, array.dtype) == (SHAPE, DTYPE)
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array[...] = i
    assert all((array == i).all() for i, array in enumerate(arrays))
    assert memory.nbytes == 3 * BLOCK_BYTES


def test_what_is_free_is_used_again_before_another_block_is_made(memory):
    kept = [memory.empty(SHAPE, DTYPE) for _ in range(PER_BLOCK)]
    before = address(kept.pop())
    assert address(memory.empty(SHAPE, DTYPE)) == before
    assert memory.nbytes == BLOCK_BYTES


def test_a_view_keeps_the_memory(memory):
    """Of a view, as a user has it who asked for a few voxels."""
    array = memory.empty(SHAPE, DTYPE)
    array[...] = 1
    part = array[2:4, ::2].reshape(-1)[5:9].view(np.uint8)
    del array
    others = [memory.empty(SHAPE, DTYPE) for _ in range(PER_BLOCK)]
    for other in others:
        other[...] = 9
    assert part.tolist() == [1, 0] * 4


def test_blocks_that_nobody_uses_are_given_back_all_but_one(memory):
    arrays = [memory.empty(SHAPE, DTYPE) for _ in range(4 * PER_BLOCK)]
    arrays += [memory.empty((32, 64, 64), DTYPE)]
    del arrays
    assert memory.nbytes == BLOCK_BYTES


def test_what_lies_between_used_slots_is_given_back_when_it_is_asked_for(memory):
    arrays = [memory.empty(SHAPE, DTYPE) for _ in range(4 * PER_BLOCK)]
    for array in arrays:
        array[...] = 5
    kept = arrays[::PER_BLOCK]
    del arrays, array
    memory.trim()
    assert memory.nbytes == 4 * kept[0].nbytes
    assert all((array == 5).all() for array in kept)
    again = [memory.empty(SHAPE, DTYPE) for _ in range(4 * (PER_BLOCK - 1))]
    for array in again:
        array[...] = 6
    assert all((array == 5).all() for array in kept)
    assert memory.nbytes == 4 * BLOCK_BYTES


@pytest.mark.parametrize("n", [1, 1000, MOST_BYTES + 1])
def test_small_and_very_large_arrays_are_left_to_the_library(memory, n):
    assert memory.empty((n,), np.dtype(np.uint8)).flags.owndata
    assert memory.nbytes == 0


def test_threads_never_get_the_same_memory(memory):
    failed = []

    def work(number):
        for _ in range(60):
            held = [memory.empty(SHAPE, DTYPE) for _ in range(3)]
            for array in held:
                array[...] = number
            failed.extend(array for array in held if (array != number).any())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_rows_are_one_element_each():
    voxels = np.arange(2 * 3 * 10, dtype=np.uint16).reshape(2, 3, 10)
    rows = rows_of(voxels, 4)
    assert rows.shape == (2, 3, 2)
    assert rows[1, 2, 1].tobytes() == voxels[1, 2, 4:8].tobytes()


@pytest.mark.parametrize("change", [lambda a: a[..., ::2], lambda a: a[..., :3]])
def test_voxels_that_lie_otherwise_have_no_rows(change):
    assert rows_of(change(np.zeros((2, 3, 10), np.uint16)), 4) is None
