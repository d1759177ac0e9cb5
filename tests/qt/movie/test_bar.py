"""Movies are recorded beside the view, which can be used meanwhile."""

import json

import imageio.v3 as iio
import numpy as np
import pytest
from qtpy.QtWidgets import QDialogButtonBox, QLineEdit, QMessageBox

from brickfield.camera import navigation
from brickfield.qt.movie.recipe import movie_size


@pytest.fixture
def bar(dock, hand):
    hand.settle(dock)
    dock.resize(420, 500)
    dock.toolbar.by_name["record"].trigger()
    hand.settle(dock)
    bar = dock.toolbar.movies
    bar.turntable.n_frames.setValue(3)
    bar.turntable.seconds.setValue(1.0)
    return bar


def end(bar, hand):
    hand.wait(lambda: not bar.recorder.is_running)


def test_the_button_shows_and_hides_the_bar(dock, bar):
    assert bar.isVisible()
    dock.toolbar.by_name["record"].trigger()
    assert not bar.isVisible()


def test_a_turntable_becomes_an_mp4_with_its_frames_beside(dock, bar, hand, tmp_path):
    camera = dock.main_view.camera
    bar.record_to(tmp_path / "ball.mp4")
    assert dock.status.text.whole.startswith("recording 0 of 3")
    assert bar.by_name["stop"].isEnabled()
    assert not bar.pages.isEnabled()
    assert dock.main_view.gpu_budget < dock.gpu_budget
    end(bar, hand)
    assert dock.status.text.whole == f"movie saved: {tmp_path / 'ball.mp4'}"
    frames = iio.imread(tmp_path / "ball.mp4")
    assert frames.shape[0] == 3
    assert frames.max() > 200
    record = json.loads((tmp_path / "ball_frames" / "frames.json").read_text())
    assert record["complete"]
    assert record["fps"] == 3
    assert tuple(record["size"]) == dock.main_view.viewport
    assert dock.main_view.camera == camera
    assert dock.main_view.gpu_budget == dock.gpu_budget
    assert bar.pages.isEnabled()


def test_frames_alone_go_into_a_folder(dock, bar, hand, tmp_path):
    bar.record_to(tmp_path / "frames")
    end(bar, hand)
    names = sorted(p.name for p in (tmp_path / "frames").iterdir())
    assert names == [*(f"frame_0000{i}.png" for i in range(3)), "frames.json"]


def test_the_view_can_be_used_meanwhile(dock, bar, hand, tmp_path):
    view = dock.main_view
    bar.turntable.n_frames.setValue(30)
    bar.record_to(tmp_path / "frames")
    hand.wait(lambda: bar.bar.value() >= 1)
    view.navigate(lambda camera: navigation.orbit(camera, 60, 10))
    turned = view.camera
    hand.settle(dock)
    assert bar.recorder.is_running
    assert view.camera == turned
    hand.click(bar._buttons["stop"])
    end(bar, hand)
    assert dock.status.text.whole.startswith("stopped at frame")


def test_key_frames_are_recorded(dock, bar, hand, tmp_path):
    bar.by_name["key_frames"].trigger()
    page = bar.key_frames
    page.rate.setValue(2)
    page.by_name["add"].trigger()
    dock.main_view.navigate(lambda camera: navigation.orbit(camera, 60, 10))
    page.by_name["add"].trigger()
    bar.record_to(tmp_path / "frames")
    end(bar, hand)
    assert len(list((tmp_path / "frames").glob("*.png"))) == 5


def test_too_few_key_frames_are_said(dock, bar, tmp_path):
    bar.by_name["key_frames"].trigger()
    bar.record_to(tmp_path / "frames")
    assert not bar.recorder.is_running
    assert dock.status.text.whole.startswith("expected two key frames or more")


def test_a_preview_plays_in_the_view(dock, bar, hand):
    bar.turntable.seconds.setValue(100)
    home = dock.main_view.camera
    hand.click(bar._buttons["preview"])
    assert bar.player.is_playing
    assert bar.by_name["preview"].text() == "Stop"
    hand.click(bar._buttons["preview"])
    assert not bar.player.is_playing
    assert dock.main_view.camera == home
    assert bar.by_name["preview"].text() == "Preview"


def test_the_file_is_asked_for_without_blocking(bar, hand, tmp_path):
    hand.click(bar._buttons["record"])
    dialog = bar.dialog
    assert dialog.isVisible()
    dialog.findChild(QLineEdit).setText(str(tmp_path / "mine"))
    buttons = dialog.findChild(QDialogButtonBox)
    hand.click(buttons.button(QDialogButtonBox.StandardButton.Save))
    hand.wait((tmp_path / "mine.mp4").exists)


def test_another_movie_is_replaced_after_a_question(dock, bar, hand, tmp_path):
    bar.record_to(tmp_path / "frames")
    end(bar, hand)
    bar.turntable.n_frames.setValue(2)
    bar.record_to(tmp_path / "frames")
    hand.wait(lambda: bar.question is not None)
    assert "another movie" in bar.question.informativeText()
    hand.click(bar.question.button(QMessageBox.StandardButton.Yes))
    end(bar, hand)
    assert len(list((tmp_path / "frames").glob("*.png"))) == 2


def test_without_a_volume_view_there_is_no_movie(dock, bar, tmp_path):
    dock.set_layout("xy")
    bar.record_to(tmp_path / "frames")
    assert not bar.recorder.is_running
    assert dock.status.text.whole == "movies show the volume: choose 3D or 2×2"


def test_the_bar_fits_into_320_pixels(dock, bar):
    dock.resize(320, 500)
    assert dock.width() == 320
    assert bar.minimumSizeHint().width() <= 316
    bar.by_name["key_frames"].trigger()
    assert bar.minimumSizeHint().width() <= 316


def test_a_large_movie_has_overlays_as_large_as_in_the_view(dock):
    frame = dock.frames["3D"]
    frame.picture.resize(640, 360)
    assert movie_size(frame, (1280, 720)) == ((640, 360), 2.0)
    assert movie_size(frame, (3840, 2160)) == ((640, 360), 6.0)
    assert movie_size(frame, None) == ((640, 360), 1.0)
    frame.picture.resize(640, 520)
    assert movie_size(frame, (1280, 720)) == ((1280, 720), 1.0)


def test_closing_the_dock_ends_the_recording(dock, bar, hand, tmp_path):
    bar.turntable.n_frames.setValue(1000)
    bar.record_to(tmp_path / "frames")
    hand.wait(lambda: bar.bar.value() >= 1)
    dock.shutdown()
    assert not bar.recorder.is_running
    assert np.isin("frames.json", [p.name for p in (tmp_path / "frames").iterdir()])
