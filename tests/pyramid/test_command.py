"""Pyramids written and read back with zarr-python."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from brickfield.errors import (
    BudgetError,
    OptionError,
    StoreFormatError,
    StoreWriteError,
)
from brickfield.model import Channel
from brickfield.pyramid.command import write_pyramid
from brickfield.store import open_mosaic, open_store

zarr = pytest.importorskip("zarr")
RNG = np.random.default_rng(7)


def ome(folder):
    if (folder / "zarr.json").exists():
        return json.loads((folder / "zarr.json").read_text())["attributes"]["ome"]
    return json.loads((folder / ".zattrs").read_text())


def levels(folder):
    group = zarr.open_group(folder, mode="r")
    return [group[d["path"]] for d in ome(folder)["multiscales"][0]["datasets"]]


def reading(folder, source):
    """A source that says it reads a folder."""
    source.info = replace(source.info, uri=str(folder))
    return source


def block_mean(a, factors):
    """Mean over the voxels that exist, float64, rounded half to even."""
    shape = [-(-n // f) * f for n, f in zip(a.shape, factors, strict=True)]
    padded = np.full(shape, np.nan)
    padded[tuple(map(slice, a.shape))] = a
    split = [s for n, f in zip(shape, factors, strict=True) for s in (n // f, f)]
    mean = np.nanmean(padded.reshape(split), axis=tuple(range(1, 2 * a.ndim, 2)))
    return (
        np.rint(mean).astype(a.dtype) if a.dtype.kind in "iu" else mean.astype(a.dtype)
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"version": "0.4"},
        {"compressor": "blosc"},
        {"version": "0.4", "compressor": "blosc"},
        {"compressor": "none"},
        {"shard_shape": 64},
        {"scheduler": "inline", "factors": "3,2,1"},
        {"budget": "2 MiB", "workers": 3},
    ],
    ids=str,
)
def test_every_level_is_the_block_mean_of_the_one_before(
    tmp_path, grid_source, options
):
    data = RNG.integers(0, 60000, (70, 101, 133), np.uint16)
    result = write_pyramid(
        grid_source(data, chunk=(20, 50, 48)), tmp_path / "p", chunk_shape=32,
        **{"levels": 3, **options},
    )  # fmt: skip
    assert result.is_complete
    found = levels(tmp_path / "p")
    expected = data
    np.testing.assert_array_equal(found[0][:], data)
    for array, plan in zip(found[1:], result.levels[1:], strict=True):
        expected = block_mean(expected, plan.factors)
        np.testing.assert_array_equal(array[:], expected)
        assert array.dtype == data.dtype


def test_a_written_level_says_where_its_voxels_lie(tmp_path, grid_source):
    data = np.zeros((4, 150, 150), np.uint8)
    write_pyramid(
        grid_source(data, size=(2.0, 0.5, 0.5), shift=(10.0, 0.0, -3.0)), tmp_path / "p"
    )
    image = ome(tmp_path / "p")["multiscales"][0]
    assert [a["name"] for a in image["axes"]] == ["z", "y", "x"]
    assert image["axes"][0] == {"name": "z", "type": "space", "unit": "micrometer"}
    placed = [
        [t[t["type"]] for t in d["coordinateTransformations"]]
        for d in image["datasets"]
    ]
    # Halved along y and x until voxels are near cubes: centres move by 0.25, 0.75.
    assert placed == [
        [[2.0, 0.5, 0.5], [10.0, 0.0, -3.0]],
        [[2.0, 1.0, 1.0], [10.0, 0.25, -2.75]],
        [[2.0, 2.0, 2.0], [10.0, 0.75, -2.25]],
    ]


def test_nan_is_left_out_and_stays_where_there_is_nothing_else(tmp_path, grid_source):
    data = RNG.random((40, 40, 80)).astype(np.float32)
    data[RNG.random(data.shape) < 0.3] = np.nan
    data[:8, :8, :8] = np.nan
    write_pyramid(grid_source(data), tmp_path / "p")
    found = levels(tmp_path / "p")[1][:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nanmean of nothing
        expected = block_mean(data, (2, 2, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isnan(found[:4, :4, :4]).all()


def test_labels_take_the_mode_and_say_that_they_are_labels(tmp_path, grid_source):
    data = RNG.integers(2**60, 2**60 + 3, (20, 70, 70), np.uint64)
    result = write_pyramid(grid_source(data, is_labels=True), tmp_path / "p")
    found = levels(tmp_path / "p")[1][:]
    assert "image-label" in ome(tmp_path / "p")
    assert "omero" not in ome(tmp_path / "p")
    block = data[4:6, 6:8, 8:10].ravel()
    values, counts = np.unique(block, return_counts=True)
    assert found[2, 3, 4] == values[counts.argmax()]
    assert set(np.unique(found)) <= set(np.unique(data))
    assert result.levels[1].shape == (10, 35, 35)


def test_axes_are_brought_in_order_and_channels_keep_name_colour_window(
    tmp_path, grid_source
):
    data = RNG.integers(0, 255, (3, 2, 40, 90), np.uint8)
    channels = (
        Channel("nuclei", (0, 128, 255), (3.0, 99.0)),
        Channel("membrane", is_active=False),
    )
    write_pyramid(grid_source(data, "zcyx", channels=channels), tmp_path / "p")
    attributes = ome(tmp_path / "p")
    assert [a["name"] for a in attributes["multiscales"][0]["axes"]] == list("czyx")
    found = levels(tmp_path / "p")
    np.testing.assert_array_equal(found[0][:], data.transpose(1, 0, 2, 3))
    assert found[0].metadata.dimension_names == ("c", "z", "y", "x")
    first, second = attributes["omero"]["channels"]
    assert (first["label"], first["color"]) == ("nuclei", "0080FF")
    assert first["window"] == {"min": 0, "max": 255, "start": 3, "end": 99}
    assert second["active"] is False
    coarsest = found[-1][1]
    assert second["window"]["start"] == coarsest.min()
    assert second["window"]["end"] == coarsest.max()


def test_what_is_not_stored_is_not_written(tmp_path, grid_source):
    """Sparse stays sparse, and a missing chunk is not even read."""
    data = RNG.integers(1, 255, (64, 64, 128), np.uint8)
    data[:, :, 64:] = 0
    missing = [i for i in np.ndindex(2, 2, 4) if i[2] >= 2]
    source = grid_source(data, chunk=(32, 32, 32), missing=missing)
    write_pyramid(source, tmp_path / "p", chunk_shape=32, levels=2)
    assert not set(missing) & set(source.reads)
    assert len(source.reads) == len(set(source.reads)) == 8
    stored = [p for p in (tmp_path / "p" / "0" / "c").rglob("*") if p.is_file()]
    assert len(stored) == 8
    for array, expected in zip(
        levels(tmp_path / "p"), [data, block_mean(data, (2, 2, 2))], strict=True
    ):
        np.testing.assert_array_equal(array[:], expected)


def test_big_storage_chunks_and_planes_are_each_read_once(tmp_path, grid_source):
    data = RNG.integers(0, 255, (40, 128, 128), np.uint8)
    for chunk in [(1, 128, 128), (40, 128, 128), (40, 96, 48)]:
        source = grid_source(data, chunk=chunk)
        write_pyramid(
            source, tmp_path / str(chunk), chunk_shape=32, levels=1, workers=1
        )
        assert len(source.reads) == len(set(source.reads))


def test_levels_are_added_to_a_store_and_its_own_are_not_touched(tmp_path, grid_source):
    data = RNG.integers(0, 60000, (60, 120, 130), np.uint16)
    root = tmp_path / "p"
    for version in ("0.4", "0.5"):
        write_pyramid(
            grid_source(data, size=(2.0, 1.0, 1.0)), root, chunk_shape=32,
            version=version, levels=1, overwrite=True,
        )  # fmt: skip
        whole = tmp_path / f"whole{version}"
        write_pyramid(
            grid_source(data, size=(2.0, 1.0, 1.0)), whole, chunk_shape=32,
            version=version, levels=3,
        )  # fmt: skip
        before = {p: p.stat().st_mtime_ns for p in (root / "0").rglob("*")}
        source = reading(root, grid_source(data, size=(2.0, 1.0, 1.0)))
        result = write_pyramid(source, root, chunk_shape=32, levels=3)
        assert result.is_complete
        assert [lv.path for lv in result.levels] == ["1", "2"]
        assert before == {p: p.stat().st_mtime_ns for p in (root / "0").rglob("*")}
        assert ome(root)["multiscales"] == ome(whole)["multiscales"]
        for a, b in zip(levels(root), levels(whole), strict=True):
            np.testing.assert_array_equal(a[:], b[:])
        assert not list(root.glob(".brickfield*"))


def test_an_address_is_opened_and_given_back(tmp_path, grid_source):
    open_source = pytest.importorskip("brickfield.sources.open").open_source
    data = RNG.integers(0, 255, (60, 120, 130), np.uint8)
    root, copy = tmp_path / "p.zarr", tmp_path / "copy.zarr"
    write_pyramid(grid_source(data, size=(0.5, 0.25, 0.25)), root, levels=1)
    assert write_pyramid(str(root), copy, levels=2).is_complete
    added = write_pyramid(root, root, levels=2)
    assert [lv.path for lv in added.levels] == ["1"]
    sources = [open_source(str(p)) for p in (root, copy)]
    first, second = (s.info.pyramid for s in sources)
    assert [lv.voxel_size for lv in first.levels] == [
        lv.voxel_size for lv in second.levels
    ]
    assert first.levels[1].translation == second.levels[1].translation
    assert sources[0].info.findings == ()
    for source in sources:
        source.close()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, grid_source):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreWriteError, match="expected to write to"):
        write_pyramid(
            grid_source(np.zeros((4, 4, 4), np.uint8)), tmp_path / "file" / "p"
        )


def test_a_store_that_has_all_levels_is_left_alone(tmp_path, grid_source):
    root = tmp_path / "p"
    source = grid_source(np.zeros((8, 8, 8), np.uint8))
    write_pyramid(source, root)
    result = write_pyramid(reading(root, source), root)
    assert result.is_complete
    assert result.levels == ()
    assert "nothing was written" in result.notes[0]


def test_a_store_of_another_version_is_not_added_to(tmp_path, grid_source):
    root = tmp_path / "p"
    source = grid_source(np.zeros((8, 8, 8), np.uint8))
    write_pyramid(source, root, version="0.4")
    with pytest.raises(OptionError, match=r"version 0\.4"):
        write_pyramid(reading(root, source), root, version="0.5")


def test_a_full_folder_is_refused_and_only_a_store_is_overwritten(
    tmp_path, grid_source
):
    source = grid_source(np.ones((8, 8, 8), np.uint8))
    root = tmp_path / "p"
    root.mkdir()
    (root / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError, match="new or empty folder"):
        write_pyramid(source, root)
    with pytest.raises(OptionError, match="expected a Zarr store to overwrite"):
        write_pyramid(source, root, overwrite=True)
    assert (root / "thesis.txt").read_text() == "mine"
    (root / "thesis.txt").unlink()
    write_pyramid(source, root)
    with pytest.raises(OptionError, match="new or empty folder"):
        write_pyramid(source, root)
    assert write_pyramid(source, root, overwrite=True, version="0.4").is_complete
    assert levels(root)[0][0, 0, 0] == 1
    assert not (root / "zarr.json").exists()


def test_a_place_elsewhere_is_refused(grid_source):
    with pytest.raises(OptionError, match="folder on this machine"):
        write_pyramid(grid_source(np.zeros((4, 4, 4), np.uint8)), "s3://bucket/p")


def test_complex_voxels_are_refused(tmp_path, grid_source):
    with pytest.raises(OptionError, match="complex64"):
        write_pyramid(grid_source(np.zeros((4, 4, 4), np.complex64)), tmp_path / "p")


def test_a_budget_below_one_chunk_is_refused_before_anything_is_written(
    tmp_path, grid_source
):
    source = grid_source(np.zeros((128, 128, 128), np.uint8))
    with pytest.raises(BudgetError, match="raise the budget"):
        write_pyramid(source, tmp_path / "p", budget="100 KiB")
    assert not (tmp_path / "p").exists()


def test_an_unreadable_chunk_is_listed_and_the_store_is_not_published(
    tmp_path, grid_source
):
    data = RNG.integers(1, 255, (64, 64, 64), np.uint8)
    source = grid_source(data, broken=[(1, 2, 3)])
    root = tmp_path / "p"
    options = {"chunk_shape": 16, "levels": 2}
    result = write_pyramid(source, root, **options)
    assert not result.is_complete
    assert [f.index for f in result.failures] == [(1, 2, 3)]
    assert "corrupt" in result.as_dict()["failures"][0]["reason"]
    assert not (root / "zarr.json").exists()
    source.broken.clear()
    source.reads.clear()
    again = write_pyramid(source, root, **options)
    assert again.is_complete
    assert again.n_resumed == 63
    assert source.reads == [(1, 2, 3)]
    np.testing.assert_array_equal(levels(root)[1][:], block_mean(data, (2, 2, 2)))


def test_unreadable_chunks_can_be_left_out(tmp_path, grid_source):
    data = RNG.integers(1, 255, (64, 64, 64), np.uint8)
    source = grid_source(data, broken=[(0, 0, 0)])
    result = write_pyramid(
        source, tmp_path / "p", chunk_shape=16, levels=2, skip_failed=True
    )
    assert result.is_complete
    assert len(result.failures) == 1
    data[:16, :16, :16] = 0
    found = levels(tmp_path / "p")
    np.testing.assert_array_equal(found[0][:], data)
    np.testing.assert_array_equal(found[1][:], block_mean(data, (2, 2, 2)))


@pytest.mark.parametrize("budget", ["64 MiB", "1 MiB"])
def test_good_chunks_beside_one_that_is_left_out_are_kept(
    tmp_path, grid_source, budget
):
    data = RNG.integers(1, 255, (64, 64, 64), np.uint8)
    source = grid_source(data, broken=[(1, 2, 3)])
    result = write_pyramid(
        source,
        tmp_path / "p",
        chunk_shape=64,
        levels=2,
        skip_failed=True,
        budget=budget,
    )
    assert result.is_complete
    assert len(result.failures) == 1
    assert "corrupt" in result.failures[0].reason
    size = source.info.pyramid.levels[0].storage_chunk_shape
    data[
        tuple(slice(i * n, (i + 1) * n) for i, n in zip((1, 2, 3), size, strict=True))
    ] = 0
    found = levels(tmp_path / "p")
    np.testing.assert_array_equal(found[0][:], data)
    np.testing.assert_array_equal(found[1][:], block_mean(data, (2, 2, 2)))


def test_a_cancelled_call_leaves_no_image_and_goes_on_later(tmp_path, grid_source):
    data = RNG.integers(1, 255, (96, 96, 96), np.uint8)
    root, cancel = tmp_path / "p", Event()
    options = {"chunk_shape": 16, "levels": 2, "scheduler": "inline"}
    first = write_pyramid(
        grid_source(data), root, cancel=cancel,
        progress=lambda done, *_: done >= 50 and cancel.set(), **options,
    )  # fmt: skip
    assert not first.is_complete
    assert not (root / "zarr.json").exists()
    second = write_pyramid(grid_source(data), root, **options)
    assert (second.n_resumed, second.n_written) == (50, 216 + 27 - 50)
    np.testing.assert_array_equal(levels(root)[1][:], block_mean(data, (2, 2, 2)))
    assert sorted(p.name for p in root.iterdir()) == ["0", "1", "zarr.json"]


def test_other_options_do_not_go_on_with_interrupted_work(tmp_path, grid_source):
    data = RNG.integers(1, 255, (64, 64, 64), np.uint8)
    source = grid_source(data, broken=[(0, 0, 0)])
    root = tmp_path / "p"
    write_pyramid(source, root, levels=2)
    source.broken.clear()
    with pytest.raises(OptionError, match="found other arrays"):
        write_pyramid(source, root, levels=2, compressor="blosc")
    result = write_pyramid(source, root, levels=2, compressor="blosc", overwrite=True)
    assert result.is_complete
    assert result.n_resumed == 0
    np.testing.assert_array_equal(levels(root)[0][:], data)


def test_without_resume_the_work_begins_anew(tmp_path, grid_source):
    data = RNG.integers(1, 255, (64, 64, 64), np.uint8)
    source = grid_source(data, broken=[(0, 0, 0)])
    write_pyramid(source, tmp_path / "p", chunk_shape=16, levels=1)
    source.broken.clear()
    result = write_pyramid(
        source, tmp_path / "p", chunk_shape=16, levels=1, resume=False
    )
    assert (result.n_resumed, result.n_written) == (0, 64)


def test_a_folder_that_is_no_ome_zarr_cannot_be_added_to(tmp_path, grid_source):
    (tmp_path / "n5").mkdir()
    source = reading(tmp_path / "n5", grid_source(np.zeros((8, 8, 8), np.uint8)))
    with pytest.raises(StoreFormatError, match="another folder"):
        write_pyramid(source, tmp_path / "n5")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["yx", "zyx", "czyx", "tczyx"])
def test_the_metadata_is_valid_by_another_implementation(
    tmp_path, grid_source, version, axes
):
    yaozarrs = pytest.importorskip("yaozarrs")
    shape = {"t": 2, "c": 2, "z": 10, "y": 70, "x": 80}
    data = RNG.integers(0, 9, [shape[a] for a in axes], np.uint8)
    for is_labels in (False, True):
        root = tmp_path / f"{is_labels}.zarr"
        write_pyramid(
            grid_source(data, axes, is_labels=is_labels), root, version=version
        )
        attributes = ome(root)
        if version == "0.4":
            yaozarrs.validate_ome_object(attributes)
        else:
            yaozarrs.validate_zarr_store(str(root))
        np.testing.assert_array_equal(levels(root)[0][:], data)


def test_a_mosaic_is_written_without_the_room_to_move_its_tiles_in(tmp_path):
    one, two = (RNG.integers(1, 250, (12, 70, 80)).astype("u1") for _ in range(2))
    beside = np.eye(4)
    beside[:3, 3] = (0, -9, 60)
    whole = np.zeros((12, 79, 140), "u1")
    whole[:, 9:, :80] = one
    whole[:, :70, 60:] = np.maximum(whole[:, :70, 60:], two)
    with open_mosaic([one, two], [np.eye(4), beside], margin=0.5) as mosaic:
        result = write_pyramid(mosaic.source, tmp_path / "a.zarr")
    assert any("left out the empty room" in note for note in result.notes)
    with open_store(tmp_path / "a.zarr") as opened:
        assert_array_equal(opened.read(0), whole)
        levels = opened.pyramid.levels
        assert levels[0].translation_zyx == (0, -9, 0)
        for level in levels:
            centre = np.multiply(np.subtract(level.voxel_size_zyx, 1), 0.5)
            assert_allclose(level.translation_zyx, centre + np.array([0, -9, 0]))
