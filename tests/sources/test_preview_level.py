"""A sampled coarse level: exact when small, bounded when huge, never moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import ChunkReadError
from brickfield.model import Axis, ImageInfo, Pyramid
from brickfield.sources import preview_level as synthesis
from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.geometry import make_level
from brickfield.sources.preview_level import (
    MAX_SAMPLED_CHUNKS,
    AxisSampling,
    with_coarse_level,
)
from brickfield.sources.protocol import ArrayHeader, ChunkSource, StorageChunk


class _Huge:
    """A source whose voxels are their own z index; it counts what is read."""

    source_id, concurrency, is_remote = "huge", 4, False

    def __init__(self, shape, chunk, *, fails=(), kind="f4"):
        axes = tuple(Axis(n) for n in "zyx")
        level = make_level(
            "0",
            ArrayHeader(shape, np.dtype(kind), chunk),
            axes,
            voxel_size=(1.0,) * 3,
            translation=(0.0,) * 3,
        )
        self.info = ImageInfo("huge", "test", "huge", Pyramid(axes, (level,)))
        self.reads, self.fails, self.closed = [], fails, False

    def read_storage_chunk(self, level, index):
        self.reads.append(index)
        if index in self.fails:
            raise ChunkReadError("corrupt", key=str(index))
        about = self.info.pyramid.levels[0]
        size = [
            min(c, n - i * c)
            for i, c, n in zip(
                index, about.storage_chunk_shape, about.shape, strict=True
            )
        ]
        z = (
            np.arange(size[0], dtype=about.dtype)
            + index[0] * about.storage_chunk_shape[0]
        )
        return StorageChunk(np.broadcast_to(z[:, None, None], size).copy(), 10)

    def storage_key(self, level, index):
        return f"{level}/{index}"

    def stored_bytes(self, level, index):
        return 10

    def missing_chunks(self, level, indices):
        return np.zeros(len(indices), bool)

    def close(self):
        self.closed = True


def _read_all(source, level):
    about = source.info.pyramid.levels[level]
    grid = [
        -(-n // c) for n, c in zip(about.shape, about.storage_chunk_shape, strict=True)
    ]
    return [source.read_storage_chunk(level, i) for i in np.ndindex(*grid)]


def test_small_data_and_pyramids_stay_as_they_are():
    small = from_arrays(np.zeros((64, 64, 64), "u1"))
    assert with_coarse_level(small) is small
    pyramid = from_arrays(
        [np.zeros((250, 250, 250), "u1"), np.zeros((125, 125, 125), "u1")]
    )
    assert with_coarse_level(pyramid) is pyramid


@pytest.mark.parametrize("shape", [(250, 230, 210), (3, 20, 900, 501)])
def test_small_enough_data_are_strided_exactly(shape, read_level, monkeypatch):
    monkeypatch.setattr(synthesis, "MIN_VOXELS", 1 << 20)
    monkeypatch.setattr(synthesis, "MAX_COARSE_VOXELS", 1 << 20)
    array = np.random.default_rng(0).integers(0, 255, shape).astype("u1")
    source = with_coarse_level(from_arrays(array, scale=(3, 1, 1), translation=5))
    assert isinstance(source, ChunkSource)
    fine, coarse = source.info.pyramid.levels
    assert coarse.n_voxels <= 1 << 20
    coarse_voxels = read_level(source, 1)
    # The world position of a coarse voxel is that of the voxel it was taken from.
    for axis in range(array.ndim):
        at = (
            coarse.translation[axis]
            + np.arange(coarse.shape[axis]) * (coarse.voxel_size[axis])
        )
        taken = (at - fine.translation[axis]) / fine.voxel_size[axis]
        assert np.allclose(taken, np.rint(taken))
        array = np.take(array, np.rint(taken).astype(int), axis=axis)
    assert np.array_equal(coarse_voxels, array)


def test_a_finding_tells_of_the_preview_and_names_the_command():
    source = with_coarse_level(_Huge((400, 400, 400), (64, 64, 64)))
    (finding,) = source.info.findings
    assert (finding.severity, finding.code) == ("info", "no-pyramid")
    assert "brickfield pyramid huge DST" in finding.text


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [
        ((20_000, 20_000, 20_000), (64, 64, 64)),
        ((5_000, 30_000, 30_000), (1, 30_000, 30_000)),
        ((3_000, 50_001, 7_777), (100, 101, 33)),
    ],
)
def test_huge_data_cost_at_most_512_reads_for_the_whole_level(shape, chunk):
    about = _Huge(shape, chunk).info.pyramid.levels[0]
    sampling = synthesis._sampling_of(about)
    reads = 1
    for axis in sampling:
        n = -(-axis.n_coarse // axis.coarse_chunk)
        reads *= sum(len(list(axis.runs(i))) for i in range(n))
    assert reads <= MAX_SAMPLED_CHUNKS


def test_huge_data_show_the_nearest_voxel_that_was_read():
    huge = _Huge((4000, 1000, 1000), (50, 50, 50))
    source = with_coarse_level(huge)
    coarse = source.info.pyramid.levels[-1]
    read = _read_all(source, source.info.pyramid.n_levels - 1)
    assert len(huge.reads) == len(set(huge.reads)) <= MAX_SAMPLED_CHUNKS
    assert sum(r.stored_bytes for r in read) == 10 * len(huge.reads)
    step = synthesis._sampling_of(source.info.pyramid.levels[0])[0].step
    z = (
        coarse.translation[0]
        + np.arange(coarse.storage_chunk_shape[0]) * (coarse.voxel_size[0])
    )
    off = np.abs(read[0].data[:, 0, 0] - z[: len(read[0].data)])
    assert off.max() <= step * 50


def test_level_0_is_passed_through():
    huge = _Huge((400, 400, 400), (64, 64, 64))
    source = with_coarse_level(huge)
    source.read_storage_chunk(0, (1, 2, 3))
    assert huge.reads == [(1, 2, 3)]
    assert source.stored_bytes(0, (0, 0, 0)) == 10
    assert source.stored_bytes(1, (0, 0, 0)) is None
    assert source.missing_chunks(1, np.zeros((1, 3), int)) is None
    assert source.storage_key(1, (0, 0, 0)) == "sampled-4x2x2/0/0/0"
    source.close()
    assert huge.closed


def test_one_corrupt_chunk_is_a_hole_and_all_corrupt_are_a_failure():
    huge = _Huge((300, 300, 300), (20, 20, 20), fails={(0, 0, 0)})
    source = with_coarse_level(huge)
    data = source.read_storage_chunk(1, (0, 0, 0)).data
    assert np.isnan(data[0, 0, 0])
    assert np.isfinite(data).any()
    huge.fails = set(np.ndindex(15, 15, 15))
    with pytest.raises(ChunkReadError, match="corrupt"):
        source.read_storage_chunk(1, (0, 0, 0))


def test_nothing_stored_stays_missing():
    class Empty(_Huge):
        def read_storage_chunk(self, level, index):
            return StorageChunk(None, 0)

    source = with_coarse_level(Empty((300, 300, 300), (100, 100, 100)))
    assert source.read_storage_chunk(1, (0, 0, 0)) == StorageChunk(None, 0)


def test_thin_axes_are_kept_and_thick_ones_thinned():
    huge = _Huge((5, 4000, 4000), (5, 64, 64))
    level = huge.info.pyramid.levels[0]
    huge.info = replace(
        huge.info,
        pyramid=replace(
            huge.info.pyramid, levels=(replace(level, voxel_size=(9.0, 1.0, 1.0)),)
        ),
    )
    coarse = with_coarse_level(huge).info.pyramid.levels[1]
    assert coarse.shape[0] == 5


@given(st.integers(1, 5000), st.integers(1, 300), st.integers(1, 64), st.integers(1, 8))
def test_every_coarse_voxel_is_filled_once_from_a_voxel_that_exists(
    shape, chunk, stride, step
):
    stride = min(stride, shape)
    axis = AxisSampling(0, shape, min(chunk, shape), stride, step)
    n_chunks = -(-axis.n_coarse // axis.coarse_chunk)
    filled = []
    for index in range(n_chunks):
        for storage, out, picked in axis.runs(index):
            room = min(axis.chunk, axis.shape - storage * axis.chunk)
            assert 0 <= picked.min() <= picked.max() < room
            start = index * axis.coarse_chunk
            filled.extend(range(start + out.start, start + out.stop))
    assert filled == list(range(axis.n_coarse))


def test_a_shallow_pyramid_gets_a_level_sampled_from_its_coarsest():
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 255, (260, 480, 480), dtype=np.uint8)
    coarse = fine[::2, ::1, ::1]
    source = with_coarse_level(from_arrays([fine, coarse]))
    pyramid = source.info.pyramid
    assert pyramid.n_levels == 3
    level, below = pyramid.levels[2], pyramid.levels[1]
    assert level.n_voxels <= 160**3
    chunk = source.read_storage_chunk(2, (0, 0, 0)).data
    at = (np.array(level.translation) - below.translation) / below.voxel_size
    first = coarse[tuple(np.rint(at).astype(int))]
    assert chunk[0, 0, 0] == first
    same = source.read_storage_chunk(1, (0, 0, 0)).data
    assert np.array_equal(
        same, coarse[: same.shape[0], : same.shape[1], : same.shape[2]]
    )
    assert any(f.code == "no-pyramid" for f in source.info.findings)


def test_huge_data_get_levels_in_between_whose_chunks_read_few_storage_chunks():
    huge = _Huge((9000, 9000, 9000), (64, 64, 64))
    source = with_coarse_level(huge)
    pyramid = source.info.pyramid
    assert pyramid.n_levels == 4
    for level in range(1, pyramid.n_levels - 1):
        ratio = pyramid.levels[level - 1].n_voxels / pyramid.levels[level].n_voxels
        assert 32 <= ratio <= 128
        huge.reads.clear()
        chunk = source.read_storage_chunk(level, (1, 1, 1)).data
        assert len(huge.reads) == len(set(huge.reads)) <= 64
        # the values are z: every voxel comes from about its own place
        about = pyramid.levels[level]
        z = about.translation[0] + about.voxel_size[0] * (
            about.storage_chunk_shape[0] + np.arange(len(chunk))
        )
        step = synthesis._steps_between(pyramid.levels[0])[level - 1][0].step
        assert np.abs(chunk[:, 0, 0] - z).max() <= step * 64
