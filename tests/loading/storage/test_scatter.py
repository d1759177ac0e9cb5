"""Voxels of a storage chunk reach the chunks over it, however they lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.loading.assembly import Assembly
from brickfield.loading.needs import places_under, shared_needs
from brickfield.loading.storage.scatter import scatter
from brickfield.loading.storage_layout import LevelLayout
from brickfield.model import ChunkId
from brickfield.testing import MemorySource
from brickfield.testing.loading import numbers


def assemblies_of(layout, dtype):
    """Begin all chunks of a level at once, with buffers full of something else."""
    grid = [-(-n // c) for n, c in zip(layout.shape_zyx, layout.chunk_zyx, strict=True)]
    chunks = [ChunkId(0, index, ()) for index in np.ndindex(*grid)]
    places, flats = places_under(layout, chunks)
    records = shared_needs(layout, places, flats, set())
    made = []
    for chunk, needs in zip(chunks, records, strict=True):
        made.append(Assembly(layout, chunk, needs))
        needs.join(made[-1], {})
        made[-1].make_buffer(np.dtype(dtype))
        if made[-1].buffer is not None:
            made[-1].buffer[...] = 7
    return made


def records_of(made):
    """List the records of some chunks, each once."""
    return list(dict.fromkeys(a.needs for a in made))


@settings(deadline=None)
@given(
    depth=st.integers(1, 10),
    size=st.tuples(st.integers(1, 20), st.integers(1, 40), st.integers(1, 40)),
    chunk=st.tuples(*[st.sampled_from([4, 8, 16])] * 3),
    plane=st.tuples(*[st.sampled_from([3, 8, 40])] * 2),
    dtype=st.sampled_from(["u1", "i2", "f4", "f8"]),
)
def test_every_chunk_gets_its_voxels(depth, size, chunk, plane, dtype):
    """Thin storage chunks and thick ones, cut at the edges and across the chunks."""
    data = numbers(size, dtype)
    source = MemorySource([data], (depth, *plane), chunk=chunk)
    layout = LevelLayout.of(source.info.pyramid, 0)
    made = assemblies_of(layout, dtype)
    for flat in sorted({f for a in made for f in a.needs.pending}):
        index = layout.index_of(flat)
        voxels = source.read_storage_chunk(0, index).data
        scatter(flat, voxels, [n for n in records_of(made) if flat in n.pending])
    for assembly in made:
        low = np.array(assembly.origin)
        high = low + assembly.shape
        expected = data[tuple(map(slice, low, high))]
        assert np.array_equal(assembly.buffer, expected)


@pytest.mark.parametrize("given", ["u1", ">u2", "f4"])
def test_voxels_of_another_type_are_converted(given):
    """Rows are copied byte by byte only where both sides have the same type."""
    data = numbers((2, 8, 16), np.uint16)
    source = MemorySource([data], (1, 8, 16), chunk=(2, 4, 4))
    layout = LevelLayout.of(source.info.pyramid, 0)
    made = assemblies_of(layout, np.uint16)
    for z in range(2):
        scatter(
            layout.flat_of((z, 0, 0)), data[z : z + 1].astype(given), records_of(made)
        )
    for assembly in made:
        z, y, x = assembly.origin
        assert np.array_equal(assembly.buffer, data[:, y : y + 4, x : x + 4])
