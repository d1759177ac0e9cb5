"""Frames and blocks that are written as they come are what a reader finds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaozarrs
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import (
    BudgetError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.sources import open_source
from brickfield.streaming import StreamWriter, read_acquisition
from brickfield.writing import downsample_downsample as downsample

SHAPE = (None, 2, 5, 24, 40)
CHUNKS = (1, 1, 4, 16, 16)


def frames(n: int, shape=(24, 40), dtype=np.uint16, seed: int = 0) -> np.ndarray:
    """Return n frames of noise above 0, so that nothing looks like the fill value."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 200, (n, *shape)).astype(dtype)


def level(path, i: int = 0) -> np.ndarray:
    """Read a level with a library that did not write it."""
    return np.asarray(zarr.open_group(path, mode="r")[str(i)][...])


def files_of(path) -> list[Path]:
    return [p for p in Path(path).rglob("*") if p.is_file() and p.name.isdecimal()]


@pytest.mark.parametrize("version", ["0.5", "0.4"])
@pytest.mark.parametrize("compressor", ["blosc", "zstd", "none"])
def test_frames_in_order_are_read_back_and_every_chunk_is_written_once(
    tmp_path, version, compressor
):
    data = frames(20).reshape(2, 2, 5, 24, 40)
    place = tmp_path / "a.ome.zarr"
    options = {"chunks": CHUNKS, "version": version, "compressor": compressor}
    with StreamWriter(place, SHAPE, "tczyx", "uint16", **options) as writer:
        for frame in data.reshape(-1, 24, 40):
            writer.append(frame)
    assert np.array_equal(level(place), data)
    stats = writer.stats()
    assert stats["frames"] == 20
    assert stats["bytes_in"] == data.nbytes
    assert stats["chunks_rewritten"] == 0
    # Level 0 alone: an image this small has no other.
    assert stats["chunks_written"] == 2 * 2 * 2 * 2 * 3 == len(files_of(place))
    yaozarrs.validate_zarr_store(place)


def test_shards_are_written_once_each(tmp_path):
    data, place = frames(16, (64, 64)), tmp_path / "a.ome.zarr"
    with StreamWriter(
        place, (16, 64, 64), "zyx", chunks=(4, 16, 16), shards=(8, 64, 32)
    ) as writer:
        for frame in data:
            writer.append(frame)
    assert np.array_equal(level(place), data)
    assert (writer.stats()["chunks_written"], len(files_of(place))) == (4, 4)
    assert zarr.open_group(place, mode="r")["0"].shards == (8, 64, 32)


@pytest.mark.parametrize("shards", [None, (4, 32, 32)])
def test_every_level_is_the_mean_of_the_one_before(tmp_path, shards):
    data, place = frames(12, (200, 136)), tmp_path / "a.ome.zarr"
    with StreamWriter(
        place, (12, 200, 136), "zyx", chunks=(4, 32, 32), shards=shards
    ) as writer:
        for frame in data:
            writer.append(frame)
    before = data
    pyramid = open_source(place).info.pyramid
    assert pyramid.n_levels == 3
    for i in range(1, pyramid.n_levels):
        factors = tuple(
            -(-a // b)
            for a, b in zip(before.shape, pyramid.levels[i].shape, strict=True)
        )
        before = downsample(before, factors, "mean")
        assert np.array_equal(level(place, i), before)
    assert writer.stats()["chunks_rewritten"] == 0
    assert writer.stats()["chunks_written"] == len(files_of(place))


def test_it_is_an_image_from_the_first_moment_on(tmp_path):
    place = tmp_path / "a.ome.zarr"
    writer = StreamWriter(
        place,
        SHAPE,
        scale=(3, 1, 2, 0.5, 0.5),
        units=("second", None, *["micrometer"] * 3),
        channels=["dapi", "gfp"],
        chunks=CHUNKS,
    )
    yaozarrs.validate_zarr_store(place)
    info = open_source(place).info
    assert info.pyramid.levels[0].shape == (1, 2, 5, 24, 40)
    assert info.pyramid.levels[0].voxel_size == (3, 1, 2, 0.5, 0.5)
    assert [a.unit for a in info.pyramid.axes] == ["second", None, *["micrometer"] * 3]
    assert [c.name for c in info.channels] == ["dapi", "gfp"]
    found = read_acquisition(place)
    assert (found["complete"], found["frames"]) == (False, 0)
    attributes = json.loads((place / "zarr.json").read_text())["attributes"]
    told = attributes["brickfield.acquisition"]
    assert attributes["brickfield"]["acquisition"] == {
        "complete": told["complete"],
        "frames": told["frames"],
    }
    writer.close()
    assert read_acquisition(place)["complete"] is True


def test_what_was_taken_is_on_disk_after_a_flush(tmp_path):
    data, place = frames(7), tmp_path / "a.ome.zarr"
    with StreamWriter(place, SHAPE, chunks=CHUNKS, max_age=1000) as writer:
        for frame in data:
            writer.append(frame)
        writer.flush()
        assert np.array_equal(level(place)[0].reshape(10, 24, 40)[:7], data)
        assert not level(place)[0].reshape(10, 24, 40)[7:].any()
        assert read_acquisition(place)["frames"] == 7
        writer.append(data[0])
    assert np.array_equal(level(place)[0].reshape(10, 24, 40)[:8], [*data, data[0]])


def test_frames_that_are_skipped_have_the_fill_value(tmp_path):
    data, place = frames(5), tmp_path / "a.ome.zarr"
    with StreamWriter(place, (12, 24, 40), "zyx", chunks=(4, 16, 16)) as writer:
        writer.skip()
        writer.append(data[0])
        writer.skip(2)
        writer.append(data[1])
        writer.skip(7)
    expected = np.zeros((12, 24, 40), np.uint16)
    expected[1], expected[4] = data[:2]
    assert np.array_equal(level(place), expected)
    assert writer.stats()["frames"] == 12
    assert not (place / "0/c/2").exists()  # nothing came for those chunks


def test_what_is_old_is_written_though_its_chunk_is_not_full(tmp_path):
    data, place = frames(2), tmp_path / "a.ome.zarr"
    with StreamWriter(place, (8, 24, 40), "zyx", chunks=(8, 16, 16), max_age=0.1) as w:
        w.append(data[0])
        while not level(place).any():
            pass
        w.append(data[1])
    assert np.array_equal(level(place)[:2], data)


# -- the buffer ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [
        ((None, 3, 4, 24, 40), (4, 1, 1, 16, 16)),
        ((None, 3, 4, 24, 40), (4, 2, 2, 16, 16)),
        ((2, 2, 16, 24, 40), (1, 1, 16, 24, 40)),
    ],
)
def test_memory_stays_within_the_buffer_whatever_the_other_axes_are(
    tmp_path, shape, chunks
):
    n = (shape[0] or 4) * shape[1] * shape[2]
    data, place = frames(n), tmp_path / "a.ome.zarr"
    buffer = 32 * 48 * 2 * 5  # five frames, padded to whole chunks
    with StreamWriter(place, shape, chunks=chunks, buffer=buffer) as writer:
        for frame in data:
            writer.append(frame)
        for t in range(2):
            writer.write((t, 0, 0, 3, 5), data[:3, :20, :30][None, None])
    assert writer.stats()["buffered_peak"] <= buffer
    expected = data.reshape(-1, *shape[1:]).copy()
    expected[:2, 0, :3, 3:23, 5:35] = data[:3, :20, :30]
    assert np.array_equal(level(place), expected)


def test_a_buffer_that_holds_no_frame_is_refused(tmp_path):
    with pytest.raises(BudgetError, match="which holds one frame"):
        StreamWriter(tmp_path / "a.ome.zarr", SHAPE, chunks=CHUNKS, buffer=1000)
    assert not (tmp_path / "a.ome.zarr").exists()


# -- blocks ----------------------------------------------------------------------

BOX = (2, 6, 12, 20)


@given(
    st.lists(
        st.tuples(
            *[st.integers(0, n - 1) for n in BOX],
            *[st.integers(1, n) for n in BOX],
            st.booleans(),
        ),
        max_size=5,
    ),
    st.integers(0, 12),
    st.sampled_from([(1, 4, 8, 16), (2, 3, 12, 20), (1, 1, 7, 9)]),
)
@settings(max_examples=30)
def test_blocks_and_frames_in_any_order_give_what_numpy_gives(
    tmp_path_factory, writes, n_frames, chunks
):
    """Overlaps, repeats and parts of chunks; of what is written twice, the later stays."""
    place = tmp_path_factory.mktemp("stream") / "a.ome.zarr"
    expected = np.zeros(BOX, np.uint16)
    data = frames(n_frames, BOX[2:])
    with StreamWriter(
        place, BOX, "tzyx", chunks=chunks, buffer=4096, max_age=0.01
    ) as writer:
        n_appended = 0
        for number, (*where, is_flushed) in enumerate(writes):
            start, size = where[:4], where[4:]
            region = tuple(
                slice(a, min(a + n, m))
                for a, n, m in zip(start, size, BOX, strict=True)
            )
            block = np.full(expected[region].shape, 1000 + number, np.uint16)
            writer.write(start, block)
            expected[region] = block
            for _ in range(min(3, n_frames - n_appended)):
                writer.append(data[n_appended])
                expected.reshape(-1, *BOX[2:])[n_appended] = data[n_appended]
                n_appended += 1
            if is_flushed:
                writer.flush()
                assert np.array_equal(level(place), expected)
    assert np.array_equal(level(place), expected)
    shutil.rmtree(place)


def test_a_block_beyond_the_end_makes_a_growing_image_longer(tmp_path):
    place = tmp_path / "a.ome.zarr"
    block = frames(2)[None, None]
    with StreamWriter(place, SHAPE, chunks=(2, 1, 4, 16, 16)) as writer:
        writer.write((6, 1, 2, 0, 0), block)
        assert writer.shape == (7, 2, 5, 24, 40)
    found = level(place)
    assert found.shape == (7, 2, 5, 24, 40)
    assert np.array_equal(found[6, 1, 2:4], block[0, 0])
    assert np.count_nonzero(found) == block.size


# -- update ------------------------------------------------------------------------


def test_voxels_that_are_told_of_are_there_for_readers(tmp_path):
    place, seen = tmp_path / "a.ome.zarr", []
    data = frames(20).reshape(2, 2, 5, 24, 40)

    def look(i, box):
        seen.append((i, box))
        assert level(place, i)[box].all()

    with StreamWriter(place, SHAPE, chunks=CHUNKS) as writer:
        writer.dirty.connect(look)
        for frame in data.reshape(-1, 24, 40):
            writer.append(frame)
    told = np.zeros(data.shape, int)
    for i, box in seen:
        assert i == 0
        told[box] += 1
    assert (told == 1).all()


def test_a_listener_that_fails_stops_nothing(tmp_path):
    place, data = tmp_path / "a.ome.zarr", frames(4)
    with StreamWriter(place, (4, 24, 40), "zyx", chunks=(2, 16, 16)) as writer:
        writer.dirty.connect(lambda *_: 1 / 0)
        for frame in data:
            writer.append(frame)
    assert np.array_equal(level(place), data)


# -- wrong use -------------------------------------------------------------------


def test_a_frame_of_another_kind_is_refused_and_nothing_is_taken(tmp_path):
    place, data = tmp_path / "a.ome.zarr", frames(1)[0]
    with StreamWriter(place, (1, 24, 40), "zyx", chunks=(1, 16, 16)) as writer:
        for wrong in (data.astype("u1"), data.T, data[None], data.astype("f4")):
            with pytest.raises(ValueError, match="expected"):
                writer.append(wrong)
        with pytest.raises(OptionError, match="expected a block within"):
            writer.write((0, 10, 0), data[None])
        with pytest.raises(OptionError, match="expected a block within"):
            writer.write((0, -1, 0), data[None, :3])
        writer.append(data)
        with pytest.raises(OptionError, match="at most 1 frames"):
            writer.append(data)
        with pytest.raises(OptionError, match="at most 1 frames"):
            writer.skip()
    assert np.array_equal(level(place)[0], data)


def test_after_close_only_flush_and_close_may_be_called(tmp_path):
    writer = StreamWriter(tmp_path / "a.ome.zarr", SHAPE, chunks=CHUNKS)
    for _ in range(2):
        writer.flush()
    for _ in range(2):
        writer.close()
    writer.flush()
    for call in (lambda: writer.append(frames(1)[0]), lambda: writer.skip()):
        with pytest.raises(ValueError, match="was closed"):
            call()
    assert writer.stats()["frames"] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"axes": "tzcyx"}, "order of OME-Zarr"),
        ({"axes": "czyx"}, "order of OME-Zarr"),
        ({"axes": "tczxy"}, "order of OME-Zarr"),
        ({"shape": (2, None, 5, 24, 40)}, "None only for a first axis"),
        ({"shape": (2, 2, 5, 0, 40)}, "lengths of 1"),
        ({"dtype": "complex64"}, "data type"),
        ({"dtype": "nonsense"}, "data type"),
        ({"channels": ["a"]}, "2 names"),
        ({"chunks": (4, 4)}, "5 numbers"),
        ({"chunks": (1, 1, 0, 4, 4)}, "1 voxel or more"),
        ({"shards": (1, 1, 4, 5, 4), "chunks": (1, 1, 4, 4, 4)}, "multiples"),
        ({"shards": (1, 1, 4, 4, 4), "version": "0.4"}, "no shards"),
        ({"version": "0.6"}, "version"),
        ({"compressor": "gzip"}, "compressor"),
        ({"levels": 0}, "1 level"),
        ({"scale": (1, 1, 1, 0, 1)}, "above 0"),
        ({"units": ("second",)}, "5 units"),
        ({"buffer": "many"}, "bytes|size"),
        ({"max_age": 0}, "max_age"),
    ],
)
def test_options_that_cannot_be_used_are_named_and_nothing_is_made(
    tmp_path, options, words
):
    place = tmp_path / "a.ome.zarr"
    with pytest.raises(ValueError, match=words):
        StreamWriter(place, **{"shape": SHAPE, "axes": "tczyx", **options})
    assert not place.exists()


def test_somebody_s_folder_is_never_touched_and_an_image_only_if_asked(tmp_path):
    place, data = tmp_path / "a.ome.zarr", frames(1)
    place.mkdir()
    (place / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError):
        StreamWriter(place, (1, 24, 40), "zyx", overwrite=True)
    assert (place / "thesis.txt").read_text() == "mine"
    (place / "thesis.txt").unlink()
    for _ in range(2):
        with StreamWriter(place, (1, 24, 40), "zyx", overwrite=True) as writer:
            writer.append(data[0])
    with pytest.raises(OptionError, match="overwrite"):
        StreamWriter(place, (1, 24, 40), "zyx")
    assert np.array_equal(level(place), data)


# -- disks and crashes -----------------------------------------------------------


def test_what_could_not_be_written_is_kept_and_written_when_it_can_be(tmp_path):
    """A file stands where a folder of chunks would be."""
    data, place = frames(4), tmp_path / "a.ome.zarr"
    writer = StreamWriter(place, (4, 24, 40), "zyx", chunks=(2, 16, 16))
    (place / "0/c").write_text("in the way")
    for frame in data[:2]:
        writer.append(frame)
    with pytest.raises(StoreWriteError, match="expected to write to"):
        writer.flush()
    (place / "0/c").unlink()
    for frame in data[2:]:
        writer.append(frame)
    writer.close()
    assert np.array_equal(level(place), data)


@pytest.mark.parametrize("n_before", [0, 3, 7, 10])
def test_resuming_goes_on_behind_the_last_frame_on_disk(tmp_path, n_before):
    data, place = frames(20), tmp_path / "a.ome.zarr"
    first = StreamWriter(place, SHAPE, chunks=CHUNKS, max_age=1000)
    for frame in data[:n_before]:
        first.append(frame)
    first.flush()
    first.append(frames(1, seed=9)[0])  # lost
    first.abandon()
    with StreamWriter.resume(place) as writer:
        assert writer.frames == n_before
        for frame in data[n_before:]:
            writer.append(frame)
    assert np.array_equal(level(place).reshape(-1, 24, 40), data)
    assert read_acquisition(place) | {"options": 0} == {
        "complete": True,
        "frames": 20,
        "options": 0,
    }


def test_levels_that_a_crash_left_out_are_made_when_it_is_resumed(tmp_path):
    data, place = frames(8, (128, 128)), tmp_path / "a.ome.zarr"
    with StreamWriter(place, (8, 128, 128), "zyx", chunks=(4, 32, 32)) as writer:
        for frame in data:
            writer.append(frame)
    whole = level(place, 1)
    shutil.rmtree(place / "1/c/0/1")
    StreamWriter.resume(place).close()
    assert np.array_equal(level(place, 1), whole)


def test_only_what_a_stream_wrote_can_be_resumed(tmp_path):
    with pytest.raises(StoreNotFoundError):
        StreamWriter.resume(tmp_path / "a.ome.zarr")
    (tmp_path / "zarr.json").write_text(json.dumps({"attributes": {}}))
    with pytest.raises(StoreFormatError, match="open a new one"):
        StreamWriter.resume(tmp_path)


def test_a_program_that_ends_without_closing_leaves_a_whole_image(tmp_path):
    """What is in memory is written, and the end is not a crash."""
    place = tmp_path / "a.ome.zarr"
    script = (
        "import numpy as np; from brickfield.streaming import StreamWriter;"
        f"w = StreamWriter({str(place)!r}, (None, 8, 8), 'tyx', levels=1);"
        "[w.append(np.full((8, 8), i + 1, np.uint16)) for i in range(5)]"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == 0
    assert level(place)[:, 0, 0].tolist() == [1, 2, 3, 4, 5]
    assert read_acquisition(place)["complete"]


def test_a_folder_marked_read_only_is_left_alone(tmp_path):
    """Also by a superuser, who could write there."""
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StoreWriteError, match="read-only"):
            StreamWriter(tmp_path / "a.ome.zarr", (None, 8, 8), "zyx")
        assert not list(tmp_path.iterdir())
    finally:
        tmp_path.chmod(0o755)
