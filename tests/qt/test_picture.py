"""The widget that shows a view's pictures."""

from __future__ import annotations

import pytest

from brickfield.qt.picture import PictureWidget
from brickfield.testing.turns import Turns
from brickfield.viewer.slice_view import make_view

pytestmark = pytest.mark.qt


@pytest.mark.gpu
def test_a_picture_can_be_taken_before_the_window_is_laid_out(
    scene, blob, qtbot, adapter
):
    view = make_view("3D", scene, Turns())
    widget = PictureWidget(view)
    qtbot.addWidget(widget)
    scene.add(blob)
    assert view.screenshot().shape == (420, 460, 4)
    view.close()
