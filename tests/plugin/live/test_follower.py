"""An image that is written while napari shows it."""

import subprocess
import sys
import time

import numpy as np
import pytest
import zarr
from qtpy.QtCore import QCoreApplication

from brickfield.loading import default_cache
from brickfield.plugin.layers.make import store_behind
from brickfield.plugin.live.follower import followers_of, open_live
from brickfield.streaming import StreamWriter, read_acquisition
from brickfield.testing.zarr_stores import image_attributes, write_image

pytestmark = [pytest.mark.napari, pytest.mark.qt]
DATA = np.random.default_rng(2).integers(100, 4000, (4, 4, 64, 96)).astype(np.uint16)


@pytest.fixture
def viewer(make_napari_viewer):
    default_cache().clear()
    return make_napari_viewer(show=False)


@pytest.fixture
def writer(tmp_path):
    made = StreamWriter(
        tmp_path / "a.ome.zarr", (None, 4, 64, 96), "tzyx", chunks=(1, 4, 32, 32)
    )
    yield made
    made.close()


@pytest.fixture
def follower(viewer, writer):
    made = open_live(str(writer.path), viewer)
    yield made
    made.stop()


def turn_until(is_true, limit_s=60.0):
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        QCoreApplication.processEvents()
        time.sleep(0.01)


def append(writer, data) -> None:
    for frame in data.reshape(-1, 64, 96):
        writer.append(frame)
    writer.flush()


def test_sliders_and_voxels_follow_what_is_written(viewer, writer, follower):
    (layer,) = viewer.layers
    assert follower.state.time_points == 1
    append(writer, DATA)
    turn_until(lambda: follower.state.time_points == 4)
    assert viewer.dims.nsteps[0] == 4
    assert viewer.dims.current_step[0] == 3  # the newest
    assert np.array_equal(np.asarray(layer.data[0]), DATA)
    assert follower.state.frames == 16


def test_a_new_time_point_is_shown_when_its_slice_is_loaded(viewer, writer, follower):
    """Many a second would be black slices otherwise."""
    (layer,) = viewer.layers
    shown = []
    viewer.dims.events.current_step.connect(
        lambda event: shown.append((event.value[0], np.array(layer._slice.image.raw)))
    )
    for n, stack in enumerate(DATA):
        append(writer, stack)
        turn_until(lambda n=n: viewer.dims.current_step[0] == n)
    plane = viewer.dims.current_step[1]
    # What napari got at the very step; it is written to later if it was not complete.
    pictures = {step: picture for step, picture in shown if step > 0}
    assert sorted(pictures) == [1, 2, 3]
    for step, picture in pictures.items():
        assert np.array_equal(picture, DATA[step, plane])


def test_a_person_who_looks_at_another_time_point_stays_there(viewer, writer, follower):
    append(writer, DATA[:2])
    turn_until(lambda: follower.state.time_points == 2)
    follower.follows_newest = False
    viewer.dims.set_current_step(0, 0)
    append(writer, DATA[2:])
    turn_until(lambda: follower.state.time_points == 4)
    assert viewer.dims.current_step[0] == 0


def test_other_time_points_are_not_read_again(viewer, writer, follower):
    append(writer, DATA[:2])
    turn_until(lambda: follower.state.time_points == 2)
    follower.follows_newest = False
    store = store_behind(viewer.layers[0])
    viewer.dims.set_current_step(0, 0)
    assert np.array_equal(np.asarray(viewer.layers[0].data[0][0]), DATA[0])
    append(writer, DATA[2:])
    turn_until(lambda: follower.state.time_points == 4)
    assert np.array_equal(np.asarray(viewer.layers[0].data[0][0]), DATA[0])
    assert np.array_equal(np.asarray(viewer.layers[0].data[0]), DATA)
    assert store.manager.counters.rereads == 0


def test_contrast_is_chosen_when_the_first_voxels_come(viewer, writer, follower):
    (layer,) = viewer.layers
    append(writer, DATA)
    turn_until(lambda: layer.contrast_limits[1] > 1000)
    layer.contrast_limits = (5, 77)
    append(writer, DATA)
    turn_until(lambda: follower.state.time_points == 8)
    assert layer.contrast_limits == [5, 77]


def test_the_end_is_told_and_nothing_is_looked_at_any_more(viewer, writer, follower):
    told = []
    follower.changed.connect(told.append)
    append(writer, DATA)
    writer.close()
    turn_until(lambda: follower.is_over)
    assert told[-1].is_complete
    assert followers_of(viewer) == [follower]


def test_an_image_that_is_taken_away_is_said_to_be_gone(writer, follower):
    elsewhere = writer.path.with_name("b.ome.zarr")
    writer.path.rename(elsewhere)
    turn_until(lambda: follower.is_over)
    assert "still there" in follower.state.problem
    elsewhere.rename(writer.path)


WRITE_STACK = """
import sys, time, numpy as np
from brickfield.streaming import StreamWriter
data = np.random.default_rng(2).integers(100, 4000, (96, 64, 96)).astype(np.uint16)
with StreamWriter(sys.argv[1], (None, 64, 96), "zyx", chunks=(8, 32, 32)) as writer:
    writer.append(data[0])
    writer.flush()
    sys.stdin.readline()  # until somebody follows it
    for plane in data[1:]:
        writer.append(plane)
        time.sleep(0.005)
"""


def test_a_stack_that_another_process_writes_gets_deeper_while_it_is_shown(
    viewer, tmp_path
):
    """Planes are appended along z; sliders, slices and voxels follow."""
    place = tmp_path / "stack.ome.zarr"
    command = [sys.executable, "-c", WRITE_STACK, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        turn_until(lambda: (read_acquisition(place) or {}).get("frames", 0) > 0)
        made = open_live(str(place), viewer)
        (layer,) = viewer.layers
        assert viewer.dims.nsteps[0] == 1
        process.stdin.close()
        turn_until(lambda: made.is_over)
    assert not made.state.problem
    assert viewer.dims.nsteps[0] == 96
    assert viewer.dims.current_step[0] == 95  # the newest
    expected = np.random.default_rng(2).integers(100, 4000, (96, 64, 96))
    assert np.array_equal(np.asarray(layer.data[0]), expected)
    store = store_behind(layer)
    assert store.pyramid.levels[0].shape == (96, 64, 96)


def test_an_image_that_a_foreign_program_makes_wider_is_followed(viewer, tmp_path):
    """Levels get longer one after another, and voxels come later."""
    data = np.random.default_rng(3).integers(1, 200, (8, 64, 128)).astype("u1")
    attributes = image_attributes("zyx", [[1, 1, 1], [1, 2, 2]])
    levels = [data[:, :, :64], data[:, ::2, :64:2]]
    place = write_image(tmp_path / "a.zarr", levels, attributes, chunks=(8, 32, 32))
    made = open_live(str(place), viewer)
    (layer,) = viewer.layers
    arrays = [zarr.open_array(place / name, mode="r+") for name in "01"]
    for array, n in zip(arrays, (128, 64), strict=True):
        array.resize((*array.shape[:2], n))
        turn_until(lambda: True)
    arrays[0][:, :, 64:] = data[:, :, 64:]
    arrays[1][:, :, 32:] = data[:, ::2, 64::2]
    turn_until(lambda: layer.data[0].shape == (8, 64, 128))
    turn_until(lambda: np.array_equal(np.asarray(layer.data[0]), data))
    turn_until(lambda: np.array_equal(np.asarray(layer.data[1]), data[:, ::2, ::2]))
    assert layer.extent.data[1].tolist() == [7, 63, 127]
    assert not made.state.problem
    made.stop()


def test_no_rate_is_told_before_it_is_known(writer, follower, monkeypatch):
    """Frames come to disk in bursts: what came between two looks is no rate."""
    monkeypatch.setattr("brickfield.plugin.live.follower.LEAST_RATE_S", 1e6)
    told = []
    follower.changed.connect(told.append)
    append(writer, DATA)
    turn_until(lambda: follower.state.time_points == 4)
    assert {state.fps for state in told} == {0.0}
