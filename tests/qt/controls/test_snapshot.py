"""Saved and copied pictures are complete, and the window goes on meanwhile."""

import threading

import numpy as np
import pytest
import zarr
from PIL import Image
from qtpy.QtCore import QRect, Qt
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QLineEdit

from brickfield.qt.controls import snapshot
from brickfield.qt.controls.snapshot import side_by_side
from brickfield.store import open_store


@pytest.fixture
def held(scene, blob, monkeypatch):
    """A dock's layer whose chunks are not read before the gate is opened."""
    port = scene.add(blob, name="ball")
    gate = threading.Event()
    source = port.data.store.source
    read = source.read_storage_chunk

    def wait(*args):
        gate.wait(20)
        return read(*args)

    monkeypatch.setattr(source, "read_storage_chunk", wait)
    yield gate
    gate.set()


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_picture_is_saved_complete_and_as_large_as_the_view(dock, hand, tmp_path):
    path = tmp_path / "a.png"
    dock.toolbar.snapshots.save_to(path)
    hand.wait(lambda: "saved" in dock.status.text.whole)
    view = dock.main_view
    assert pixels(path).shape[:2] == view.viewport[::-1]
    assert pixels(path)[..., 0].max() > 200
    notes = Image.open(path).text
    assert notes["Description"] == "complete"
    assert notes["brickfield-fidelity"] == "final"
    assert dock.status.text.whole == f"saved {path}"


def test_the_window_goes_on_while_a_picture_is_waited_for(
    held, make_dock, hand, tmp_path
):
    dock = make_dock()
    dock.toolbar.snapshots.save_to(tmp_path / "a.png")
    hand.wait(lambda: dock.status.text.whole.startswith("saving a.png · "))
    assert not (tmp_path / "a.png").exists()
    held.set()
    hand.wait((tmp_path / "a.png").exists)


def test_a_picture_that_took_too_long_says_so(
    held, make_dock, hand, tmp_path, monkeypatch
):
    monkeypatch.setattr(snapshot, "TIMEOUT_S", 0.1)
    dock = make_dock()
    path = tmp_path / "a.png"
    dock.toolbar.snapshots.save_to(path)
    hand.wait(lambda: "incomplete" in dock.status.text.whole)
    notes = Image.open(path).text
    assert notes["Description"].startswith("incomplete")
    assert notes["brickfield-fidelity"] == "improving"
    corner = pixels(path)[:30, :100]
    assert corner[..., 0].max() > 200, "a yellow word"
    assert corner[..., 2].max() < 100
    dock.toolbar.snapshots.marks.trigger()
    path.unlink()
    dock.toolbar.snapshots.save_to(path)
    hand.wait(path.exists)
    assert pixels(path)[:30, :100, :3].max() == 0


def test_waiting_can_be_stopped(held, make_dock, hand, tmp_path):
    dock = make_dock()
    dock.toolbar.snapshots.save_to(tmp_path / "a.png")
    hand.choose(dock.toolbar.pictures, "Stop waiting")
    held.set()
    hand.settle(dock)
    hand.wait(lambda: dock.status.text.whole == "full resolution")
    assert not (tmp_path / "a.png").exists()


def test_the_file_is_asked_for_without_blocking(dock, hand, tmp_path):
    hand.choose(dock.toolbar.pictures, "Save picture…")
    dialog = dock.toolbar.snapshots.dialog
    assert dialog.isVisible()
    name = dialog.findChild(QLineEdit)
    assert name.text().startswith("ball_")
    assert name.text().endswith(".png")
    name.setText(str(tmp_path / "mine"))
    hand.click(
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Save)
    )
    hand.wait((tmp_path / "mine.png").exists)


def test_the_clipboard_has_what_is_seen(dock, hand):
    hand.settle(dock)
    hand.choose(dock.toolbar.pictures, "Copy picture")
    hand.wait(lambda: dock.status.text.whole == "picture copied")
    image = QApplication.clipboard().image()
    assert (image.width(), image.height()) == dock.main_view.viewport
    seen = dock.frames["3D"].picture.pixmap().toImage()
    middle = image.width() // 2, image.height() // 2
    assert abs(image.pixelColor(*middle).red() - seen.pixelColor(*middle).red()) < 10


def test_all_views_are_side_by_side(dock, hand, tmp_path):
    dock.set_layout("2x2")
    hand.settle(dock)
    path = tmp_path / "all.png"
    dock.toolbar.snapshots.save_to(path, list(dock.frames.values()))
    hand.wait(lambda: "saved" in dock.status.text.whole)
    corner = dock.frames["yz"]
    rows, columns = pixels(path).shape[:2]
    assert columns == corner.x() + corner.width()
    assert rows == corner.y() + corner.height()


def test_with_one_view_there_is_no_choice_of_views(dock):
    menu = dock.toolbar.pictures
    menu.aboutToShow.emit()
    texts = [a.text() for a in menu.actions() if a.isVisible() and a.text()]
    assert texts == ["Save picture…", "Copy picture", "Mark incomplete pictures"]


def test_a_place_that_cannot_be_written_is_said(dock, hand, tmp_path):
    dock.toolbar.snapshots.save_to(tmp_path / "nowhere" / "a.png")
    hand.wait(lambda: dock.status.text.whole.startswith("not saved: expected to write"))


def test_a_picture_is_never_written_over_the_data(make_dock, scene, hand, tmp_path):
    path = tmp_path / "a.zarr"
    array = zarr.create_array(path, shape=(8, 8, 8), chunks=(4, 8, 8), dtype="u1")
    array[:] = 9
    store = open_store(str(path))
    scene.add(store)
    dock = make_dock()
    hand.settle(dock)
    target = path / "zarr.json"
    before = target.read_bytes()
    dock.toolbar.snapshots.save_to(target)
    hand.wait(lambda: dock.status.text.whole.startswith("not saved: expected to write"))
    assert "never over it" in dock.status.text.whole
    assert target.read_bytes() == before
    store.close()


def test_without_layers_there_is_nothing_to_take(make_dock, hand, tmp_path):
    dock = make_dock()
    dock.toolbar.snapshots.save_to(tmp_path / "a.png")
    hand.wait(
        lambda: dock.status.text.whole.startswith("no picture: expected an image")
    )


def test_the_view_that_was_clicked_last_is_taken(dock, hand, tmp_path):
    dock.set_layout("2x2")
    hand.settle(dock)
    frame = dock.frames["xz"]
    frame.picture.setFocus(Qt.FocusReason.MouseFocusReason)
    dock.activateWindow()
    hand.wait(frame.picture.hasFocus)
    assert dock.toolbar.snapshots._front() == [frame]


def test_closing_the_dock_forgets_the_picture(held, make_dock, tmp_path):
    dock = make_dock()
    dock.toolbar.snapshots.save_to(tmp_path / "a.png")
    dock.shutdown()
    held.set()
    assert not (tmp_path / "a.png").exists()


def test_pictures_keep_their_places():
    one = np.full((2, 3, 4), 10, np.uint8)
    two = np.full((2, 2, 4), 20, np.uint8)
    whole = side_by_side([one, two], [QRect(5, 1, 3, 2), QRect(9, 2, 2, 2)])
    assert whole.shape == (3, 6, 4)
    assert whole[0, :, 0].tolist() == [10, 10, 10, 0, 0, 0]
    assert whole[2, :, 0].tolist() == [0, 0, 0, 0, 20, 20]
    assert (whole[..., 3][whole[..., 0] == 0] == 255).all()
