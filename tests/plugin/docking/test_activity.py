"""Long work in napari's activity bar leaves the window time for other things."""

import pytest
from qtpy.QtWidgets import QLabel

from brickfield.plugin.docking.activity import CALM_PERCENT, on_board


@pytest.mark.napari
def test_the_wheel_beside_the_activity_bar_turns_slowly_while_work_goes_on(
    make_napari_viewer,
):
    """Each of its pictures has the whole window put together again."""
    viewer = make_napari_viewer()
    bar = viewer.window._qt_window.statusBar()
    movies = [m for label in bar.findChildren(QLabel) if (m := label.movie())]
    assert len(movies) == 1
    with on_board("Saving cells", unit="blocks", can_cancel=True):
        assert movies[0].speed() == CALM_PERCENT
    assert movies[0].speed() == 100
