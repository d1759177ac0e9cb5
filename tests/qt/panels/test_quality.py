"""The quality panel writes to the views of its dock and to the budgets."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.loading import ChunkCache
from brickfield.qt.panels.quality import QualityPanel, SessionBudgets

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def cache():
    return ChunkCache(1 << 28)


@pytest.fixture
def panel(qtbot, host, scene, blob, cache):
    scene.add(blob)
    panel = QualityPanel(host, SessionBudgets(host, cache))
    qtbot.addWidget(panel)
    panel.resize(320, 300)
    panel.set_open(True)
    panel.show()
    yield panel
    panel.connections.release()


def test_the_slider_goes_from_draft_to_exact(panel, host):
    QTest.keyClick(panel.quality, Qt.Key.Key_Home)
    assert (host.main_view.quality, panel.name.text()) == (8.0, "draft")
    QTest.keyClick(panel.quality, Qt.Key.Key_End)
    assert (host.main_view.quality, panel.name.text()) == (0.5, "exact")


def test_a_double_click_on_the_slider_makes_it_sharp(panel, host):
    host.main_view.quality = 8.0
    QTest.mouseDClick(panel.quality, LEFT, pos=QPoint(3, 8))
    assert host.main_view.quality == 1.0


def test_any_number_of_pixels_can_be_typed(panel, host):
    panel.pixels.selectAll()
    QTest.keyClicks(panel.pixels, "1.3 px")
    QTest.keyClick(panel.pixels, Qt.Key.Key_Return)
    assert host.main_view.quality == 1.3
    assert panel.pixels.text() == "1.3 px"


def test_it_follows_a_view_that_others_change(panel, host):
    host.main_view.quality = 4.0
    host.main_view.forced_level = 1
    host.main_view.show_levels = True
    assert panel.pixels.text() == "4 px"
    assert panel.level.currentText().startswith("1/2 resolution (level 1)")
    assert panel.colors.isChecked()


def test_a_level_tells_its_size_before_it_is_forced(panel):
    """32 x 40 x 48 uint16 is one chunk; with a border in y and x 32 x 42 x 50 x 2 B."""
    assert panel.level.itemText(1) == "full resolution (level 0): 32×40×48, 131.2 KiB"


def test_choosing_a_level_forces_it_in_all_views(panel, host):
    host.show("3D", "xy")
    panel.level.setCurrentIndex(2)
    panel.level.activated.emit(2)
    assert [v.forced_level for v in host.views] == [1, 1]
    panel.level.activated.emit(0)
    assert [v.forced_level for v in host.views] == [None, None]


def test_it_warns_of_a_level_beyond_the_budget(panel, host):
    host.gpu_budget = 100_000
    panel.level.highlighted.emit(1)
    assert panel.warning.text() == (
        "⚠ full resolution takes 131 KiB of GPU memory; 97.7 KiB are allowed, so parts will"
        " stay coarser"
    )


def test_a_typed_budget_may_have_any_unit(panel, host, cache):
    for part, text in ((panel.gpu, "800 MB"), (panel.ram, "2")):
        part.box.box.selectAll()
        QTest.keyClicks(part.box.box, text)
        QTest.keyClick(part.box.box, Qt.Key.Key_Return)
    assert host.gpu_budget == 800_000_000
    assert cache.budget_bytes == 2 << 30


def test_a_hidden_layer_takes_no_memory(panel, scene):
    scene.add(np.zeros((64, 64, 64), np.uint8), "large")
    assert "64×64×64" in panel.level.itemText(1)
    scene.layers[1].visible = False
    assert "32×40×48" in panel.level.itemText(1)
