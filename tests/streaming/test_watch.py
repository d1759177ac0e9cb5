"""What another process wrote is told of once, and nothing else."""

import json
import shutil

import numpy as np
import pytest

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources import open_source
from brickfield.streaming import AcquisitionWatch, StreamWriter
from brickfield.testing.zarr_stores import write_array, write_image

FRAME = np.ones((64, 64), np.uint16)
CHUNKS = (1, 4, 16, 16)


@pytest.fixture(params=["0.4", "0.5"])
def writer(tmp_path, request):
    made = StreamWriter(
        tmp_path / "a.ome.zarr", (None, 4, 64, 64), "tzyx", chunks=CHUNKS,
        version=request.param, levels=1,
    )  # fmt: skip
    yield made
    made.close()


def covered(update, shape) -> np.ndarray:
    """Count how often each voxel of level 0 is told of."""
    counts = np.zeros(shape, int)
    for level, box in update.changes:
        assert level == 0
        counts[box] += 1
    return counts


def test_new_time_points_are_told_of_once(writer):
    watch = AcquisitionWatch(writer.path)
    assert watch.look().changes == ()
    for _ in range(8):
        writer.append(FRAME)
    writer.flush()
    update = watch.look()
    assert update.shape == (2, 4, 64, 64)
    assert (update.frames, update.is_complete) == (8, False)
    assert (covered(update, update.shape) == 1).all()
    assert watch.look().changes == ()
    writer.close()
    assert watch.look().is_complete


def test_a_chunk_that_is_written_again_is_told_of_alone(writer):
    for _ in range(8):
        writer.append(FRAME)
    writer.flush()
    watch = AcquisitionWatch(writer.path)
    watch.look()
    writer.write((1, 0, 16, 32), FRAME[None, None, :16, :16])
    writer.flush()
    (change,) = watch.look().changes
    box = (slice(1, 2), slice(0, 4), slice(16, 32), slice(32, 48))
    assert change == (0, box)


def test_shards_are_what_is_told_of(tmp_path):
    writer = StreamWriter(
        tmp_path / "a.ome.zarr", (4, 64, 64), "zyx", levels=1,
        chunks=(2, 16, 16), shards=(4, 64, 32),
    )  # fmt: skip
    watch = AcquisitionWatch(writer.path)
    watch.look()
    writer.write((0, 0, 32), FRAME[None, :, :32])
    writer.flush()
    assert watch.look().changes == ((0, (slice(0, 4), slice(0, 64), slice(32, 64))),)
    writer.close()


def test_images_of_other_programs_are_followed_too(tmp_path):
    data = np.zeros((4, 32, 32), np.uint8)
    place = write_image(tmp_path / "a.zarr", [data], chunks=(2, 16, 16))
    watch = AcquisitionWatch(place)
    watch.look()
    write_array(place / "0", data + 1, chunks=(2, 16, 16))
    update = watch.look()
    assert (covered(update, (4, 32, 32)) == 1).all()
    assert not update.is_acquisition
    assert update.frames is None


def test_what_is_no_local_image_cannot_be_followed(tmp_path):
    for place in (tmp_path, tmp_path / "none", "https://example.org/a.zarr"):
        with pytest.raises(OptionError, match="local folder"):
            AcquisitionWatch(place)


def test_an_image_that_was_taken_away_is_said_to_be_gone(writer):
    watch = AcquisitionWatch(writer.path)
    shutil.move(writer.path, writer.path.with_name("b.ome.zarr"))
    with pytest.raises(StoreFormatError, match="still there"):
        watch.look()
    shutil.move(writer.path.with_name("b.ome.zarr"), writer.path)


def test_an_image_that_is_met_while_it_grows_has_all_its_levels(tmp_path):
    """Levels are made longer one by one, the finest last; longer ones are cut."""
    place = tmp_path / "a.ome.zarr"
    with StreamWriter(place, (None, 4, 64, 64), "tzyx", levels=3) as writer:
        for _ in range(8):
            writer.append(FRAME)
    for name in ("1", "2"):
        file = place / name / "zarr.json"
        document = json.loads(file.read_text())
        document["shape"][0] = 3
        file.write_text(json.dumps(document))
    info = open_source(place).info
    assert [level.shape[0] for level in info.pyramid.levels] == [2, 2, 2]
    assert AcquisitionWatch(place).shape[0] == 2
