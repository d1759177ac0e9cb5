"""A view's picture is shown pixel for pixel, and an empty view is called so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtGui import QImage

from brickfield.qt.view.picture import NO_LAYERS, PictureWidget
from brickfield.rendering import RenderThread
from brickfield.testing.turns import Turns
from brickfield.viewer.live import LiveView

pytestmark = [pytest.mark.qt, pytest.mark.bindings]


@pytest.mark.gpu
def test_a_picture_can_be_taken_before_the_window_is_laid_out(
    scene, blob, qtbot, adapter
):
    view = LiveView("3D", scene, Turns())
    widget = PictureWidget(view)
    qtbot.addWidget(widget)
    scene.add(blob)
    assert view.screenshot().shape == (420, 460, 4)
    view.close()


def pixels_of(widget):
    """What a widget shows, shape (h, w, 3), uint8."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBX8888)
    bits = image.constBits()
    if hasattr(bits, "setsize"):  # PyQt
        bits.setsize(image.sizeInBytes())
    whole = np.frombuffer(bits, np.uint8).reshape(image.height(), -1, 4)
    return whole[:, : image.width(), :3].copy()


def differing(picture):
    """Share of the pixels of a picture widget that differ from its view's picture."""
    for child in picture.children():
        if hasattr(child, "hide"):
            child.hide()
    drawn = picture.view.report.image[..., :3]
    shown = pixels_of(picture)
    assert shown.shape == drawn.shape
    assert drawn.any()
    return np.mean((shown != drawn).any(axis=-1))


@pytest.mark.gpu
def test_a_theme_that_frames_labels_takes_no_pixel_of_a_picture(dock, hand):
    dock.setStyleSheet("QLabel { border: 1px solid white; padding: 2px; }")
    hand.settle(dock)
    assert differing(dock.frames["3D"].picture) == 0


_SCALED = """
import sys, time
import numpy as np
from qtpy.QtWidgets import QApplication
from brickfield.qt.dock import ViewDock
from brickfield.testing.scene import MemoryScene
sys.path.insert(0, sys.argv[1])
from test_picture import differing

app = QApplication([])
scene = MemoryScene(unit="µm")
scene.add([np.indices((16, 24, 32)).sum(axis=0).astype(np.uint16)])
dock = ViewDock(scene)
dock.resize(361, 303)
dock.show()
end = time.monotonic() + 60
while not dock.main_view.is_settled and time.monotonic() < end:
    app.processEvents()
    time.sleep(0.01)
app.processEvents()
picture = dock.frames["3D"].picture
print(picture.devicePixelRatioF(), differing(picture))
dock.shutdown()
scene.close()
"""


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.5, 2.0])
def test_a_picture_is_shown_pixel_for_pixel_at_a_scale_factor(factor, adapter):
    env = os.environ | {"QT_SCALE_FACTOR": str(factor), "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(
        [sys.executable, "-c", _SCALED, str(Path(__file__).parent)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    ratio, share = map(float, run.stdout.split())
    assert (ratio, share) == (factor, 0)


@pytest.mark.gpu
def test_a_picture_is_not_distorted_while_the_next_one_of_another_shape_is_drawn(
    dock, hand
):
    hand.settle(dock)
    picture, old = dock.frames["3D"].picture, dock.main_view.report.image
    picture.setFixedSize(picture.width(), picture.height() // 2)
    shown = picture.pixmap()
    assert dock.main_view.report.image is old, "the next one is not drawn yet"
    assert not picture.hasScaledContents()
    assert shown.height() == picture.height()
    assert shown.width() / shown.height() == pytest.approx(
        old.shape[1] / old.shape[0], rel=0.02
    )


def wait_for_text(widget, text, hand):
    hand.wait(lambda: text in (widget.text() + widget.accessibleDescription()))


@pytest.fixture
def undrawn(scene):
    """A view whose renderer never started, whatever other tests did."""
    thread = RenderThread()
    view = LiveView("3D", scene, Turns(), thread=thread)
    yield view
    view.close()
    thread.close()


def test_only_an_empty_list_of_layers_is_called_empty(
    scene, blob, qtbot, hand, undrawn
):
    view = undrawn
    widget = PictureWidget(view)
    qtbot.addWidget(widget)
    assert widget.text() == NO_LAYERS
    scene.add(blob)
    # Nothing was drawn yet, and nobody draws here.
    wait_for_text(widget, "starting the renderer", hand)
    assert NO_LAYERS not in widget.text()
    late = PictureWidget(view)
    qtbot.addWidget(late)
    wait_for_text(late, "starting the renderer", hand)


def test_until_the_first_picture_the_layer_s_thumbnail_is_shown_as_such(
    scene, blob, qtbot, hand, undrawn
):
    view = undrawn
    widget = PictureWidget(view)
    qtbot.addWidget(widget)
    thumbnail = np.zeros((32, 32, 4), np.uint8)
    port = scene.add(blob)
    wait_for_text(widget, "starting", hand)
    assert "thumbnail" not in widget.accessibleDescription()
    thumbnail[8:24, 8:24] = (0, 200, 0, 255)
    port.values["thumbnail"] = thumbnail
    wait_for_text(widget, "preview: the layer's thumbnail", hand)
    middle = pixels_of(widget)[200:220, 220:240]
    assert (middle == (0, 200, 0)).all()
