"""A chunk is its pieces, the fill value in gaps, and holes with their reasons."""

import numpy as np
import pytest

from brickfield.loading.assembly import Assembly, value_range
from brickfield.loading.needs import Needs
from brickfield.loading.retry import ReadFailure
from brickfield.loading.storage.scatter import scatter
from brickfield.loading.storage_layout import LevelLayout
from brickfield.model import ChunkId
from brickfield.model.requests import ChunkState
from brickfield.testing import MemorySource
from brickfield.testing.loading import numbers


def assembly_of(source, missing=()):
    """Begin the only chunk of a source, of which storage chunks along z are missing."""
    layout = LevelLayout.of(source.info.pyramid, 0)
    flats = layout.needs((0, 0, 0), ())
    needs = Needs(layout, (), flats, {flats[z] for z in missing})
    assembly = Assembly(layout, ChunkId(0, (0, 0, 0)), needs)
    needs.join(assembly, {})
    return assembly


def named(assembly, z):
    """Return the flat index of a storage chunk along z."""
    return assembly.layout.flat_of((z, 0, 0))


def fill(assembly, source, positions):
    assembly.make_buffer(source.arrays[0].dtype)
    for flat in (named(assembly, z) for z in positions):
        index = assembly.layout.index_of(flat)
        scatter(flat, source.read_storage_chunk(0, index).data, [assembly.needs])
        assembly.needs.receive(flat, is_stored=True)


def test_gaps_are_filled_with_the_fill_value():
    source = MemorySource([numbers((8, 8, 8))], (4, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source, missing={1})
    fill(assembly, source, [0])
    chunk = assembly.finish(9)
    assert chunk.state is ChunkState.LOADED
    assert np.array_equal(chunk.data[:4], source.arrays[0][:4])
    assert (chunk.data[4:] == 9).all()


def test_a_gap_found_while_reading_is_filled_too():
    source = MemorySource([numbers((8, 8, 8)) + 1], (4, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source)
    fill(assembly, source, [1])
    assert assembly.needs.receive(0, is_stored=False)
    chunk = assembly.finish(0)
    assert (chunk.data[:4] == 0).all()
    assert chunk.minimum == 0


def test_without_any_piece_a_chunk_is_missing_and_holds_no_voxels():
    source = MemorySource([numbers((8, 8, 8))], (4, 8, 8), chunk=(8, 8, 8))
    chunk = assembly_of(source, missing={0, 1}).finish(7)
    assert chunk.state is ChunkState.MISSING
    assert chunk.data is None
    assert (chunk.minimum, chunk.maximum) == (7, 7)


def test_one_storage_chunk_that_is_the_chunk_is_not_copied():
    source = MemorySource([numbers((8, 8, 8))], (8, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source)
    data = source.read_storage_chunk(0, (0, 0, 0)).data
    scatter(0, data, [assembly.needs])
    assembly.needs.receive(0, is_stored=True)
    chunk = assembly.finish(0)
    assert np.shares_memory(chunk.data, data)


def test_a_small_part_of_a_storage_chunk_does_not_keep_all_of_it():
    source = MemorySource([numbers((8, 8, 8))], (8, 8, 8), chunk=(2, 8, 8))
    assembly = assembly_of(source)
    data = source.read_storage_chunk(0, (0, 0, 0)).data
    scatter(0, data, [assembly.needs])
    assembly.needs.receive(0, is_stored=True)
    chunk = assembly.finish(0)
    assert not np.shares_memory(chunk.data, data)
    assert chunk.data.flags.c_contiguous


def test_transposed_voxels_become_contiguous():
    source = MemorySource([numbers((8, 7, 6))], (8, 8, 8), axes="xyz", chunk=(8, 8, 8))
    assembly = assembly_of(source)
    data = source.read_storage_chunk(0, (0, 0, 0)).data
    scatter(0, data, [assembly.needs])
    assembly.needs.receive(0, is_stored=True)
    chunk = assembly.finish(0)
    assert chunk.data.flags.c_contiguous
    assert np.array_equal(chunk.data, source.arrays[0].transpose(2, 1, 0))


def test_a_piece_counts_once():
    source = MemorySource([numbers((8, 8, 8))], (4, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source)
    assert not assembly.needs.receive(0, is_stored=True)
    assert not assembly.needs.receive(0, is_stored=True)
    assert assembly.needs.receive(named(assembly, 1), is_stored=True)


def test_what_failed_is_a_hole_with_its_reason_and_its_place():
    source = MemorySource([numbers((8, 8, 8)) + 1], (4, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source)
    fill(assembly, source, [0])
    assert assembly.fail(named(assembly, 1), ReadFailure("0/c/1/0/0", "broken"))
    chunk = assembly.finish(9)
    assert chunk.state is ChunkState.LOADED
    assert not chunk.is_whole
    (hole,) = chunk.holes
    assert (hole.low, hole.high) == ((4, 0, 0), (8, 8, 8))
    assert (hole.failure.key, hole.failure.reason) == ("0/c/1/0/0", "broken")
    assert hole.failure.storage_index == (1, 0, 0)
    assert np.array_equal(chunk.data[:4], source.arrays[0][:4])
    assert (chunk.data[4:] == 9).all()


def test_the_range_leaves_holes_out():
    source = MemorySource([numbers((8, 8, 8)) + 5], (4, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source)
    fill(assembly, source, [0])
    assembly.fail(named(assembly, 1), ReadFailure("k", "broken"))
    chunk = assembly.finish(0)
    assert (chunk.minimum, chunk.maximum) == (5, 4 * 64 + 4)
    assert chunk.known_voxels().size == 256


def test_next_unsent_passes_over_what_is_on_its_way():
    source = MemorySource([numbers((8, 8, 8))], (2, 8, 8), chunk=(8, 8, 8))
    assembly = assembly_of(source)
    all_of_them = [named(assembly, z) for z in range(4)]
    assert assembly.needs.next_unsent(set()) == all_of_them[0]
    assert assembly.needs.next_unsent(set(all_of_them[:2])) == all_of_them[2]
    assert assembly.needs.next_unsent(set(all_of_them)) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(np.array([3, -2, 7], np.int16), (-2, 7), id="integers"),
        pytest.param(np.array([np.nan, 2.0, 5.0]), (2, 5), id="nan left out"),
        pytest.param(np.array([-np.inf, 0.0]), (-np.inf, 0), id="infinite"),
        pytest.param(np.array([False, True]), (0, 1), id="bool"),
        pytest.param(np.array([3 + 4j, 0]), (0, 5), id="complex magnitude"),
        pytest.param(np.array([2**63], np.uint64), (2.0**63, 2.0**63), id="uint64"),
    ],
)
def test_the_range_is_that_of_the_numbers(values, expected):
    assert value_range(values) == expected


def test_the_range_of_nothing_but_nan_is_nan():
    assert np.isnan(value_range(np.full(3, np.nan, np.float32))).all()
