"""Arrays in memory as a source: pixels, axes, geometry and refusals."""

from __future__ import annotations

import dask.array as da
import h5py
import numpy as np
import pytest
import tensorstore as ts
import zarr
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import ChunkReadError, OptionError
from brickfield.imaris import to_imaris
from brickfield.model import Axis
from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.protocol import ChunkSource


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(0, 60000, (70, 90, 130)).astype("u2")


def _as_zarr(volume, folder):
    array = zarr.create_array(
        folder / "z.zarr", shape=volume.shape, chunks=(32, 40, 50), dtype=volume.dtype
    )
    array[:] = volume
    return array


def _as_tensorstore(volume, _folder):
    array = ts.open(
        {"driver": "zarr", "kvstore": "memory://"},
        create=True,
        shape=volume.shape,
        dtype=str(volume.dtype),
    ).result()
    array.write(volume).result()
    return array[ts.d[:].translate_to[5]]


def _as_memmap(volume, folder):
    np.save(folder / "a.npy", volume)
    return np.load(folder / "a.npy", mmap_mode="r")


class _Bare:
    def __init__(self, array):
        self.shape, self.dtype, self._array = array.shape, array.dtype, array

    def __getitem__(self, key):
        return self._array[key]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda v, _: v, id="numpy"),
        pytest.param(
            lambda v, _: v.transpose(2, 0, 1).T.transpose(1, 0, 2), id="strides"
        ),
        pytest.param(lambda v, _: v.astype(">u2"), id="big-endian"),
        pytest.param(_as_memmap, id="memmap"),
        pytest.param(lambda v, _: da.from_array(v, chunks=(32, 45, 50)), id="dask"),
        pytest.param(
            lambda v, _: da.from_array(v, chunks=((10, 40, 20), (90,), (130,))),
            id="dask-uneven",
        ),
        pytest.param(_as_zarr, id="zarr"),
        pytest.param(_as_tensorstore, id="tensorstore"),
        pytest.param(lambda v, _: _Bare(v), id="any-array"),
    ],
)
def test_every_kind_of_array_gives_its_voxels(make, volume, tmp_path, read_level):
    array = make(volume, tmp_path)
    source = from_arrays(array)
    assert isinstance(source, ChunkSource)
    if isinstance(array, ts.TensorStore):
        expected = volume
    else:
        expected = np.asarray(array[:, :, :]).astype("u2")
    assert np.array_equal(read_level(source, 0), expected)


def test_an_h5py_dataset_gives_its_voxels(volume, tmp_path, read_level):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("a", data=volume, chunks=(32, 32, 32))
        file.flush()
        assert np.array_equal(read_level(from_arrays(dataset), 0), volume)


def test_a_chunk_is_a_copy_so_a_cache_may_own_it(volume):
    chunk = from_arrays(volume).read_storage_chunk(0, (0, 0, 0))
    assert not np.shares_memory(chunk.data, volume)


def test_dask_is_read_block_by_block(volume):
    computed = []

    def note(block):
        computed.append(block.shape)
        return block

    lazy = da.from_array(volume, chunks=(35, 45, 65)).map_blocks(
        note, dtype="u2", meta=np.empty((0, 0, 0), "u2")
    )
    source = from_arrays(lazy)
    assert computed == []
    source.read_storage_chunk(0, (1, 0, 1))
    assert computed == [(35, 45, 65)]


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((9, 9), "yx"),
        ((9, 9, 9), "zyx"),
        ((16, 9, 9, 9), "czyx"),
        ((17, 9, 9, 9), "tzyx"),
        ((2, 3, 9, 9, 9), "tczyx"),
    ],
)
def test_axes_follow_from_the_rank(shape, names):
    source = from_arrays(np.zeros(shape, "u1"))
    assert "".join(a.name for a in source.info.pyramid.axes) == names


def test_named_axes_find_z_y_x_in_any_order(read_level):
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype("u1")
    source = from_arrays(array, axes="xcyz", scale=(4.0, 3.0, 2.0))
    level = source.info.pyramid.levels[0]
    assert level.shape_zyx == (5, 4, 2)
    assert source.info.pyramid.channel_axis == 1
    assert len(source.info.channels) == 3
    assert np.array_equal(read_level(source, 0), array)


def test_three_scale_values_fill_the_spatial_axes_of_more():
    source = from_arrays(np.zeros((2, 8, 8, 8), "u1"), scale=(7, 0.5, 0.25))
    assert source.info.pyramid.levels[0].voxel_size == (1, 7, 0.5, 0.25)


def test_levels_lie_over_one_extent():
    levels = [np.zeros((40, 40, 40), "u1"), np.zeros((20, 10, 40), "u1")]
    pyramid = from_arrays(levels, scale=2.0, translation=(5, 6, 7)).info.pyramid
    assert np.allclose(pyramid.downscale[1], (2, 4, 1))
    assert np.allclose(pyramid.levels[1].translation, (5 + 1, 6 + 3, 7))
    # The outer edges agree: centre minus half a voxel.
    for level in pyramid.levels:
        edge = np.array(level.translation) - np.array(level.voxel_size) / 2
        assert np.allclose(edge, (4, 5, 6))


def test_a_scale_for_each_level_is_taken_as_it_is():
    levels = [np.zeros((27, 9, 9), "u1"), np.zeros((13, 9, 9), "u1")]
    pyramid = from_arrays(levels, scale=[(1, 1, 1), (2, 1, 1)]).info.pyramid
    assert pyramid.levels[1].voxel_size == (2, 1, 1)
    assert pyramid.levels[1].translation == (0.5, 0, 0)


def test_levels_in_the_wrong_order_are_sorted_with_a_finding(read_level):
    fine = np.random.default_rng(0).integers(0, 255, (20, 20, 20)).astype("u1")
    source = from_arrays([fine[::2, ::2, ::2], fine])
    assert np.array_equal(read_level(source, 0), fine)
    assert [f.code for f in source.info.findings] == ["levels-reordered"]


@pytest.mark.parametrize(
    "arrays",
    [
        pytest.param([], id="empty-list"),
        pytest.param(np.zeros(5), id="one-axis"),
        pytest.param(np.zeros((0, 5)), id="no-voxels"),
        pytest.param(np.zeros((5, 5), complex), id="complex"),
        pytest.param(np.zeros((5, 5), object), id="object"),
        pytest.param(np.array([["a", "b"]]), id="text"),
        pytest.param([[1, 2], [3, 4]], id="nested-list"),
        pytest.param([np.zeros((5, 5)), np.zeros((5, 5, 5))], id="ranks-differ"),
        pytest.param(
            [np.zeros((5, 5), "u1"), np.zeros((2, 2), "u2")], id="types-differ"
        ),
        pytest.param(
            [np.zeros((2, 8, 8, 8)), np.zeros((1, 4, 4, 4))], id="channels-differ"
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(arrays):
    with pytest.raises(OptionError, match="expected"):
        from_arrays(arrays)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": (1, 2)},
        {"scale": 0},
        {"scale": (1, -1, 1)},
        {"scale": (1, float("nan"), 1)},
        {"scale": [(1, 1, 1), (2, 2, 2)]},
        {"translation": (1, 2)},
        {"translation": float("inf")},
        {"axes": "yx"},
        {"axes": "zzx"},
        {"axes": [Axis("a", "other"), Axis("b", "other"), Axis("c", "channel")]},
    ],
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(OptionError, match="expected"):
        from_arrays(np.zeros((4, 4, 4)), **options)


def test_two_sources_of_one_array_never_share_a_cache(volume):
    assert from_arrays(volume).source_id != from_arrays(volume).source_id


def test_reading_after_close_fails_cleanly(volume):
    source = from_arrays(volume)
    source.close()
    source.close()
    with pytest.raises(ChunkReadError, match="closed"):
        source.read_storage_chunk(0, (0, 0, 0))


@given(
    shape=st.lists(st.integers(1, 90), min_size=2, max_size=4),
    kind=st.sampled_from(["u1", "i2", "f4", ">f8", "?"]),
)
def test_storage_chunks_tile_any_array_exactly(shape, kind):
    array = (np.arange(np.prod(shape)) % 251).astype(kind).reshape(shape)
    source = from_arrays(array)
    level = source.info.pyramid.levels[0]
    total = np.zeros(shape, "i4")
    grid = [-(-n // c) for n, c in zip(shape, level.storage_chunk_shape, strict=True)]
    for index in np.ndindex(*grid):
        read = source.read_storage_chunk(0, index)
        where = tuple(
            slice(i * c, i * c + n)
            for i, c, n in zip(
                index, level.storage_chunk_shape, read.data.shape, strict=True
            )
        )
        assert np.array_equal(read.data, array[where])
        total[where] += 1
    assert (total == 1).all()


def test_voxels_below_a_mask_are_told(tmp_path):
    data = np.ma.masked_greater(np.arange(60).reshape(3, 4, 5), 50)
    whole = np.ma.masked_greater(np.arange(60).reshape(3, 4, 5), 99)
    assert [f.code for f in from_arrays(data).info.findings] == ["masked"]
    assert not from_arrays(whole).info.findings
    notes = to_imaris(data.astype(np.uint8), tmp_path / "a.ims", axes="zyx").notes
    assert any("expected arrays without a mask" in note for note in notes)
