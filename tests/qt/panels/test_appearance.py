"""The appearance panel shows what the layers say and writes to them."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.qt.deliver import Deliverer
from brickfield.qt.panels.appearance import AppearancePanel
from brickfield.sources import from_arrays
from brickfield.store import ChunkedImageStore
from brickfield.viewer.controls import OPAQUE, RAMP
from brickfield.viewer.live import history_of

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def ball(scene, blob):
    return scene.add(blob, "ball")


@pytest.fixture
def panel(qtbot, host, ball):
    panel = AppearancePanel(host, Deliverer())
    qtbot.addWidget(panel)
    panel.resize(300, 420)
    panel.show()
    panel.set_open(True)
    yield panel
    panel.connections.release()
    panel.histograms.closer()()


@pytest.fixture
def counted(panel, qtbot):
    """The panel once the histogram is there."""
    qtbot.waitUntil(lambda: panel.histograms.of(panel.port) is not None)
    return panel


def typed(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def shown(panel):
    names = ("editor", "contrast", "gamma", "colormap", "threshold", "attenuation")
    return [name for name in names if getattr(panel, name).isVisible()]


# -- rows -----------------------------------------------------------------------


def test_there_is_a_row_for_each_layer_the_topmost_first(panel, scene, blob):
    scene.add(blob, "top")
    assert [row.name.text() for row in panel.rows.rows] == ["top", "ball"]
    scene.remove(scene.layers[0])
    assert [row.name.text() for row in panel.rows.rows] == ["top"]


def test_the_eye_hides_and_shows(panel, ball):
    (row,) = panel.rows.rows
    QTest.mouseClick(row.eye, LEFT)
    assert not ball.visible
    QTest.mouseClick(row.eye, LEFT)
    assert ball.visible


def test_opacity_is_typed_and_followed(panel, ball):
    (row,) = panel.rows.rows
    typed(row.opacity.box, "0.25")
    assert ball.opacity == 0.25
    ball.opacity = 0.5
    assert (row.opacity.box.text(), row.opacity.slider.value()) == ("0.50", 500)


def test_a_click_on_its_name_makes_a_layer_the_one_to_act_on(panel, scene, ball, blob):
    other = scene.add(blob, "top")
    assert panel.port is other
    QTest.mouseClick(panel.rows.rows[1].name, LEFT)
    assert panel.port is ball
    assert [row.name.font().bold() for row in panel.rows.rows] == [False, True]


def test_a_long_name_is_shortened_and_whole_in_the_tooltip(panel, ball):
    (row,) = panel.rows.rows
    ball.name = "a & " + "very " * 20 + "long name"
    assert "…" in row.name.text()
    assert row.name.text().startswith("a && ")
    assert ball.name in row.name.toolTip()


def test_colours_are_chosen_from_the_swatch_and_from_the_list(panel, ball):
    (row,) = panel.rows.rows
    actions = {a.text(): a for a in row.swatch.menu().actions()}
    actions["viridis"].trigger()
    assert (ball.colormap, panel.colormap.currentText()) == ("viridis", "viridis")
    panel.colormap.activated.emit(panel.colormap.findText("cyan"))
    assert ball.colormap == "cyan"


def test_an_unusual_colormap_is_shown_by_its_name(panel, ball):
    ball.colormap = "tomato"
    assert panel.colormap.currentText() == "tomato"
    ball.colormap = "gray"
    assert panel.colormap.findText("tomato") < 0


def test_other_colours_keep_the_opacity_curve(panel, ball):
    ball.opacity_curve = RAMP
    panel.colormap.activated.emit(panel.colormap.findText("magma"))
    assert (ball.colormap, ball.opacity_curve) == ("magma", RAMP)


# -- what matters -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "extra"),
    [
        ("mip", []),
        ("iso", ["threshold"]),
        ("attenuated_mip", ["attenuation"]),
        ("translucent", []),
    ],
)
def test_only_what_matters_for_the_mode_is_shown(panel, ball, mode, extra):
    ball.mode = mode
    assert shown(panel) == ["editor", "contrast", "gamma", "colormap", *extra]


def test_labels_have_a_mode_but_no_contrast(panel, scene):
    source = from_arrays(np.zeros((4, 5, 6), np.uint16), is_labels=True)
    labels = scene.add(ChunkedImageStore(source), "cells")
    assert panel.port is labels
    assert shown(panel) == []
    assert [panel.mode.itemData(i) for i in range(panel.mode.count())] == [
        "iso",
        "translucent",
    ]


def test_without_layers_nothing_is_offered(panel, scene, ball):
    scene.remove(ball)
    assert shown(panel) == []
    assert panel.rows.rows == []


def test_the_curve_is_offered_where_it_counts_or_where_there_is_one(panel, ball):
    assert panel.editor._look.curve is None
    ball.mode = "translucent"
    assert panel.editor._look.curve == OPAQUE
    ball.mode = "mip"
    ball.opacity_curve = RAMP
    assert panel.editor._look.curve == RAMP


def test_the_mode_of_the_active_layer_alone_is_chosen(panel, scene, ball, blob):
    other = scene.add(blob, "top")
    panel.mode.activated.emit(panel.mode.findData("average"))
    assert (ball.mode, other.mode) == ("mip", "average")


def test_voxels_are_smooth_or_blocks(panel, ball):
    panel.voxels.activated.emit(panel.voxels.findData("nearest"))
    assert ball.interpolation == "nearest"
    assert ball.slice_interpolation == "linear"


def test_what_a_ray_becomes_is_offered_where_a_volume_is_shown(panel, host, ball):
    ball.mode = "iso"
    of_volumes = (panel.mode, panel.voxels, panel.threshold, panel.light)
    assert [part.isVisible() for part in of_volumes] == [True] * 4
    assert not panel.slice_voxels.isVisible()
    host.show("xy")
    assert [part.isVisible() for part in of_volumes] == [False] * 4
    assert panel.slice_voxels.isVisible()
    assert panel.gamma.isVisible()
    host.show("3D", "xy")
    assert panel.mode.isVisible()
    assert panel.slice_voxels.isVisible()


def test_voxels_of_slices_are_chosen_apart_from_those_of_volumes(panel, host, ball):
    host.show("xy")
    panel.slice_voxels.activated.emit(panel.slice_voxels.findData("nearest"))
    assert ball.slice_interpolation == "nearest"
    assert ball.interpolation == "linear"
    ball.slice_interpolation = "linear"
    assert panel.slice_voxels.currentData() == "linear"


# -- contrast ---------------------------------------------------------------------


def test_ends_are_typed_in_whole_numbers_for_whole_data(panel, ball):
    typed(panel.contrast.ends[1], "640")
    typed(panel.contrast.ends[0], "100")
    assert ball.contrast == (100.0, 640.0)
    assert [box.text() for box in panel.contrast.ends] == ["100", "640"]


def test_an_end_typed_beyond_the_other_pushes_it(panel, ball):
    ball.contrast = (100.0, 200.0)
    typed(panel.contrast.ends[0], "500")
    assert ball.contrast == (500.0, 600.0)


def test_dragging_in_the_histogram_writes_to_the_layer(counted, ball):
    editor = counted.editor
    ball.contrast = (100.0, 800.0)
    x = round(editor.plot.x(800.0))
    QTest.mousePress(editor, LEFT, pos=QPoint(x, 20))
    QTest.mouseMove(editor, QPoint(x - 40, 20))
    QTest.mouseRelease(editor, LEFT, pos=QPoint(x - 40, 20))
    low, high = ball.contrast
    assert low == 100.0
    assert high == pytest.approx(editor.plot.value(x - 40), abs=3)
    assert high == round(high)


def test_a_drag_in_the_histogram_is_one_act_however_long_the_hand_rests(
    counted, ball, scene, monkeypatch
):
    editor, history = counted.editor, history_of(scene)
    ball.contrast = (100.0, 800.0)
    now = [monotonic() + 60]
    monkeypatch.setattr(history, "_clock", lambda: now[0])
    x = round(editor.plot.x(800.0))
    QTest.mousePress(editor, LEFT, pos=QPoint(x, 20))
    for step in (10, 20, 40):
        QTest.mouseMove(editor, QPoint(x - step, 20))
        now[0] += 5
    QTest.mouseRelease(editor, LEFT, pos=QPoint(x - 40, 20))
    assert ball.contrast[1] < 800.0
    history.undo()
    assert ball.contrast == (100.0, 800.0)


def test_auto_contrast_is_that_of_the_percentiles(counted, ball, blob):
    ball.contrast = (1.0, 2.0)
    typed(counted.contrast.percents[0], "50")
    QTest.mouseClick(counted.contrast.auto, LEFT)
    low, high = np.percentile(blob[1], [50, 99.9], method="lower")
    assert ball.contrast == (pytest.approx(low, abs=1), pytest.approx(high, abs=1))


def test_percentiles_in_the_wrong_order_are_not_taken(counted):
    typed(counted.contrast.percents[0], "99.95")
    assert counted.contrast.percent == (0.1, 99.9)
    assert counted.contrast.percents[0].text() == "0.1 %"


def test_what_was_counted_is_said(counted):
    """The coarsest level has 16 x 20 x 24 voxels."""
    assert counted.contrast.note.text() == "7.68 k values at 1/2 resolution"


def test_every_voxel_is_counted_on_request(counted, qtbot):
    """Level 0 has 32 x 40 x 48 voxels."""
    counted.contrast.exact.trigger()
    qtbot.waitUntil(lambda: counted.histograms.is_exact(counted.port))
    assert counted.contrast.note.text() == "61.4 k values at full resolution"
    assert not counted.contrast.cancel.isVisible()


def test_a_count_is_given_up_when_the_panel_is_closed(counted, qtbot, ball):
    counted.contrast.exact.trigger()
    counted.set_open(False)
    assert counted.histograms.progress is None


def test_gamma_follows_and_is_reset_by_a_double_click(panel, ball):
    ball.gamma = 2.0
    assert panel.gamma.box.text() == "2.00"
    QTest.mouseDClick(panel.gamma.slider, LEFT, pos=QPoint(5, 8))
    assert ball.gamma == 1.0


def test_a_value_that_the_owner_refuses_is_said_and_not_kept(panel, ball):
    panel._choose("contrast", (5.0, 5.0))
    assert "lower below the upper" in panel.contrast.note.text()
    assert ball.contrast != (5.0, 5.0)


def test_a_panel_that_follows_writes_nothing(panel, ball, scene, blob):
    ball.writes.clear()
    ball.gamma = 0.5
    ball.mode = "iso"
    scene.add(blob, "other")
    scene.activate(ball)
    assert [name for name, _ in ball.writes] == ["gamma", "mode"]


def test_another_time_point_is_counted_once_its_slider_stands_still(
    panel, scene, qtbot
):
    movie = np.stack([np.full((4, 5, 6), i, np.uint8) for i in (1, 9)])
    port = scene.add(movie, "movie", axes="tzyx")
    qtbot.waitUntil(lambda: panel.histograms.of(port) is not None)
    scene.move_slider(0, 1)
    assert panel.histograms.of(port) is None
    qtbot.waitUntil(lambda: panel.histograms.of(port) is not None)
    assert panel.histograms.of(port).high == 9
