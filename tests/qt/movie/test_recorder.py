"""A movie is drawn beside the dock, and every frame is what its camera sees."""

import json
import threading

import numpy as np
import pytest
import zarr
from PIL import Image

from brickfield.camera import KeyFrame, of_cameras, turntable
from brickfield.errors import BrickfieldError
from brickfield.qt.movie.recorder import Recorder, Recording
from brickfield.store import open_store
from brickfield.viewer.export import Movie, MovieOptions


@pytest.fixture
def recorder(scene):
    recorder = Recorder(scene)
    recorder.outcome = []
    recorder.ended.connect(lambda *what: recorder.outcome.append(what))
    yield recorder
    recorder.close()


@pytest.fixture
def turn(dock, hand):
    """A quarter of a turn in four frames."""
    hand.settle(dock)
    camera = dock.main_view.camera
    cameras = turntable(camera, 4, degrees_turned=90)
    return Movie(tuple(of_cameras(cameras, KeyFrame(camera))))


def recording(movie, folder, **options):
    return Recording(movie, folder, MovieOptions(**options), (64, 48), 1.0, 1 << 26)


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_frame_is_complete_and_the_view_is_left_alone(
    recorder, turn, dock, hand, tmp_path
):
    view = dock.main_view
    camera, told = view.camera, []
    recorder.progressed.connect(lambda *n: told.append(n))
    recorder.start(recording(turn, tmp_path), view)
    assert recorder.is_running
    hand.wait(lambda: recorder.outcome)
    ((result, error),) = recorder.outcome
    assert error is None
    assert (result.n_frames, result.n_incomplete) == (4, 0)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert view.camera == camera
    assert not recorder.is_running
    record = json.loads((tmp_path / "frames.json").read_text())
    assert record["complete"]
    assert record["frames"][0]["info"] == {"levels": [0, 0], "failed_chunks": 0}


def test_a_frame_shows_what_its_camera_sees(recorder, turn, dock, hand, tmp_path):
    view = dock.main_view
    recorder.start(recording(turn, tmp_path), view)
    hand.wait(lambda: recorder.outcome)
    assert picture(tmp_path / "frame_00000.png").shape == (48, 64, 4)
    view.resize((64, 48), 1.0)
    view.move_to(turn.frames[3].camera)
    expected, _ = view.client.ask(lambda drawer: drawer.picture(10.0)).result(20)
    assert np.array_equal(picture(tmp_path / "frame_00003.png"), expected)
    assert not np.array_equal(picture(tmp_path / "frame_00000.png"), expected)


def test_stopping_keeps_what_is_there_and_starting_again_goes_on(
    recorder, turn, dock, hand, tmp_path
):
    recorder.progressed.connect(lambda n, _: n == 2 and recorder.stop())
    recorder.start(recording(turn, tmp_path), dock.main_view)
    hand.wait(lambda: recorder.outcome)
    n = len(list(tmp_path.glob("*.png")))
    assert 2 <= n < 4
    first = (tmp_path / "frame_00000.png").stat().st_mtime_ns
    recorder.outcome.clear()
    recorder.progressed.disconnect()
    recorder.start(recording(turn, tmp_path), dock.main_view)
    hand.wait(lambda: recorder.outcome)
    assert recorder.outcome[0][0].n_frames == 4
    assert (tmp_path / "frame_00000.png").stat().st_mtime_ns == first


def test_one_movie_at_a_time(recorder, turn, dock, hand, tmp_path):
    recorder.start(recording(turn, tmp_path), dock.main_view)
    with pytest.raises(BrickfieldError, match="still being recorded"):
        recorder.start(recording(turn, tmp_path), dock.main_view)


def test_a_folder_that_cannot_be_written_is_an_error(
    recorder, turn, dock, hand, tmp_path
):
    (tmp_path / "file").write_text("")
    recorder.start(recording(turn, tmp_path / "file"), dock.main_view)
    hand.wait(lambda: recorder.outcome)
    ((result, error),) = recorder.outcome
    assert result is None
    assert "expected to make the folder" in str(error)


def test_a_movie_is_never_written_among_the_data(
    recorder, make_dock, scene, hand, tmp_path
):
    path = tmp_path / "a.zarr"
    array = zarr.create_array(path, shape=(8, 8, 8), chunks=(4, 8, 8), dtype="u1")
    array[:] = 9
    store = open_store(str(path))
    scene.add(store)
    dock = make_dock()
    hand.settle(dock)
    before = sorted(path.rglob("*"))
    movie = Movie((KeyFrame(dock.main_view.camera),))
    recorder.start(recording(movie, path, overwrite=True), dock.main_view)
    hand.wait(lambda: recorder.outcome)
    ((result, error),) = recorder.outcome
    assert result is None
    assert "never over it" in str(error)
    assert sorted(path.rglob("*")) == before
    store.close()


def test_closing_ends_the_thread_at_any_moment(recorder, turn, dock, hand, tmp_path):
    recorder.start(recording(turn, tmp_path), dock.main_view)
    writers = [t for t in threading.enumerate() if "brickfield-write" in t.name]
    assert writers
    recorder.close()
    for thread in writers:
        thread.join(10)
        assert not thread.is_alive()
    assert recorder.outcome == []


def test_frames_of_a_time_series_move_the_slider(
    recorder, make_dock, scene, hand, tmp_path
):
    series = np.zeros((3, 8, 8, 8), np.uint8)
    series[2] = 200
    scene.add(series, axes="tzyx")
    dock = make_dock()
    hand.settle(dock)
    camera = dock.main_view.camera
    for name in ("scale_bar", "axes"):
        dock.main_view.set_overlay_options(name, visible=False)
    movie = Movie((KeyFrame(camera, 0), KeyFrame(camera, 2)))
    scene.layers[0].contrast = (0, 255)
    recorder.start(recording(movie, tmp_path), dock.main_view)
    hand.wait(lambda: recorder.outcome)
    middle = [picture(tmp_path / f"frame_0000{i}.png")[24, 32, 0] for i in (0, 1)]
    assert middle == [0, 200]
