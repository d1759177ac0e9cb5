"""Tiles are listed, moved, left out and saved from the dock; undo takes all of it back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.qt.panels.tiles import TilesPanel
from brickfield.store import open_mosaic
from brickfield.viewer.live import history_of

LEFT = Qt.MouseButton.LeftButton
RNG = np.random.default_rng(0)


@pytest.fixture
def mosaic():
    """Three tiles side by side along x."""
    arrays = [RNG.integers(50, 250, (16, 20, 24)).astype("u1") for _ in range(3)]
    matrices = [np.eye(4) for _ in arrays]
    for i, matrix in enumerate(matrices):
        matrix[2, 3] = 20 * i
    return open_mosaic(arrays, matrices, margin=1.0)


@pytest.fixture
def layer(scene, mosaic):
    return scene.add(mosaic, "mosaic")


@pytest.fixture
def panel(qtbot, host, layer):
    host.frames["3D"].picture.resize(400, 300)
    panel = TilesPanel(host)
    qtbot.addWidget(panel)
    panel.resize(380, 300)
    panel.show()
    panel.set_open(True)
    yield panel
    panel.set_open(False)
    panel.connections.release()


def x_of(mosaic, name):
    return mosaic.place_of(name).matrix.matrix[2, 3]


def typed(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def names(panel):
    return [panel.model.index(i, 0).data() for i in range(panel.model.rowCount())]


def test_the_panel_is_offered_where_a_layer_is_a_mosaic(host, scene, blob, mosaic):
    scene.add(blob, "one image")
    assert not TilesPanel.is_useful_in(host)
    scene.add(mosaic, "mosaic")
    assert TilesPanel.is_useful_in(host)


def test_every_tile_is_a_row(panel, mosaic):
    assert names(panel) == [name for name, _, _ in mosaic.tiles]


def test_a_typed_shift_counts_from_the_file_and_can_be_undone(panel, mosaic, scene):
    second = panel.model.names[1]
    panel.choose(second)
    typed(panel.shift[2], "3.5")
    assert x_of(mosaic, second) == 23.5
    typed(panel.shift[2], "1")
    assert x_of(mosaic, second) == 21
    history_of(scene).undo()
    assert x_of(mosaic, second) == 23.5
    assert panel.shift[2].text().startswith("3.5")
    history_of(scene).undo()
    assert x_of(mosaic, second) == 20
    history_of(scene).redo()
    assert x_of(mosaic, second) == 23.5


def test_several_tiles_move_and_turn_together(panel, mosaic):
    first, second, third = panel.model.names
    panel.choose(first, second)
    typed(panel.shift[0], "2")
    assert mosaic.place_of(second).matrix.matrix[0, 3] == 2
    assert mosaic.place_of(third).matrix.matrix[0, 3] == 0
    before = [mosaic.place_of(n).box() for n in (first, second)]
    typed(panel.angle, "180")
    after = [mosaic.place_of(n).box() for n in (first, second)]
    np.testing.assert_allclose(before, after[::-1], atol=1e-9)
    assert panel.angle.text() == "0°"


def test_alt_and_arrow_keys_move_by_voxels(panel, mosaic):
    first = panel.model.names[0]
    panel.choose(first)
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(panel.table, Qt.Key.Key_Right, alt)
    assert x_of(mosaic, first) == 1
    QTest.keyClick(panel.table, Qt.Key.Key_Left, alt | shift)
    assert x_of(mosaic, first) == -9


def test_tiles_are_left_out_shown_alone_and_taken_back(panel, mosaic, scene):
    first, second, third = panel.model.names
    panel.choose(second)
    panel.buttons["Solo"].click()
    assert [mosaic.is_shown(n) for n in (first, second, third)] == [False, True, False]
    history_of(scene).undo()
    assert all(mosaic.is_shown(n) for n in (first, second, third))
    panel.buttons["Hide"].click()
    assert not mosaic.is_shown(second)
    mark = panel.model.index(1, 0)
    role = Qt.ItemDataRole.CheckStateRole
    assert mark.data(role) == Qt.CheckState.Unchecked
    panel.model.setData(mark, Qt.CheckState.Checked.value, role)
    assert mosaic.is_shown(second)


def test_a_drag_of_the_knob_shifts_in_the_plane_of_the_picture(panel, mosaic, scene):
    second = panel.model.names[1]
    panel.choose(second)
    overlay = panel.overlays["3D"]
    overlay.redraw()
    x, y = overlay.place
    start, by = QPoint(round(x), round(y)), QPoint(12, 0)
    before = mosaic.place_of(second).matrix.matrix
    picture = overlay._picture
    QTest.mousePress(picture, LEFT, pos=start)
    for i in (1, 2, 3):
        QTest.mouseMove(picture, start + by * i / 3)
    QTest.mouseRelease(picture, LEFT, pos=start + by)
    gone = mosaic.place_of(second).matrix.matrix[:3, 3] - before[:3, 3]
    assert np.abs(gone).max() > 0.5
    forward = np.array(panel.host.views[0].camera.forward)
    assert abs(gone @ forward) < 1e-6 * np.linalg.norm(gone)
    overlay.redraw()
    assert abs(overlay.place[0] - (x + 12)) < 1.5
    history_of(scene).undo()
    np.testing.assert_array_equal(mosaic.place_of(second).matrix.matrix, before)


def test_while_a_knob_is_dragged_its_tile_stays_coarse_and_is_fine_at_rest(
    panel, mosaic
):
    second = panel.model.names[1]
    panel.choose(second)
    overlay = panel.overlays["3D"]
    overlay.redraw()
    start = QPoint(*(round(v) for v in overlay.place))
    picture = overlay._picture
    QTest.mousePress(picture, LEFT, pos=start)
    QTest.mouseMove(picture, start + QPoint(8, 0))
    assert mosaic.stays_coarse is not None
    QTest.mouseRelease(picture, LEFT, pos=start + QPoint(8, 0))
    assert mosaic.stays_coarse is None


def test_a_drag_beyond_the_mosaic_takes_its_box_along(panel, mosaic, layer):
    third = panel.model.names[2]
    panel.choose(third)
    panel._begin()
    panel._drag((0.0, -70.0, 90.0))
    gone = mosaic.place_of(third).matrix.matrix[:3, 3]
    np.testing.assert_allclose(gone, (0, -70, 130))
    low, high = layer.data.world.apply(np.array(mosaic.pyramid.data_bounds))
    assert low[1] < -70
    assert high[2] > 130 + 24
    panel._drag((0.0, 0.0, 1e18))
    assert "a size that can be drawn" in panel.told.text()
    np.testing.assert_allclose(mosaic.place_of(third).matrix.matrix[:3, 3], gone)


def test_a_step_by_numbers_is_fine_again_soon_after(panel, mosaic, qtbot):
    panel.choose(panel.model.names[0])
    typed(panel.shift[2], "2")
    assert mosaic.stays_coarse is not None
    qtbot.waitUntil(lambda: mosaic.stays_coarse is None, timeout=10_000)


def test_what_cannot_be_is_said_and_nothing_moves(panel, mosaic):
    first, second, _ = panel.model.names
    panel.choose(first, second)
    typed(panel.shift[2], "1e18")
    assert "a size that can be drawn" in panel.told.text()
    assert x_of(mosaic, first) == 0
    assert panel.shift[2].text() == "0"
    typed(panel.shift[2], "1")
    assert panel.told.text() == ""


def test_reset_puts_the_chosen_tiles_back(panel, mosaic):
    first, second, _ = panel.model.names
    panel.choose(first, second)
    typed(panel.shift[2], "2")
    panel.choose(first)
    panel.buttons["Reset"].click()
    assert (x_of(mosaic, first), x_of(mosaic, second)) == (0, 22)


def test_where_tiles_lie_is_saved_to_a_new_file_alone(panel, mosaic, tmp_path):
    panel.choose(panel.model.names[0])
    typed(panel.shift[1], "1.5")
    panel.save(str(tmp_path / "moved.json"))
    saved = json.loads((tmp_path / "moved.json").read_text())
    assert saved["tiles"][0]["matrix"][1][3] == 1.5
    assert "Written" in panel.told.text()
    panel.save(str(tmp_path / "moved.json"))
    assert "one that is there" in panel.told.text()


def test_another_way_of_overlaps_reads_nothing(panel, mosaic):
    before = mosaic.read(0)
    panel.overlap.setCurrentIndex(4)
    panel.overlap.activated.emit(4)
    assert mosaic.overlap == "difference"
    apart = mosaic.read(0)
    assert not np.array_equal(apart, before)
    # Tiles of 24 voxels lie 20 apart.
    first = round(-mosaic.pyramid.levels[0].translation_zyx[2])
    assert not apart[..., : first + 20].any()
    assert apart[..., first + 20 : first + 24].any()
    assert mosaic.source.read_storage_chunk(0, (0, 0, 0)).stored_bytes == 0


def test_boxes_and_names_are_drawn_while_they_are_wanted(panel):
    overlay = panel.overlays["3D"]

    def painted():
        overlay.redraw()
        image = overlay.canvas.pixmap().toImage()
        return sum(
            image.pixelColor(x, y).alpha() > 0
            for x in range(0, image.width(), 2)
            for y in range(0, image.height(), 2)
        )

    with_boxes = painted()
    panel.names.setChecked(True)
    with_names = painted()
    panel.names.setChecked(False)
    panel.boxes.setChecked(False)
    assert with_names > with_boxes > painted() == 0


def test_a_mosaic_that_goes_takes_its_rows_along(panel, scene, layer):
    scene.remove(layer)
    assert panel.model.rowCount() == 0
    assert panel._shown() is None


def test_tiles_are_coloured_by_layers_that_take_the_place_of_the_mosaic(
    panel, mosaic, layer, scene
):
    layer.contrast = (20, 200)
    at = panel.colours.findData("tile")
    panel.colours.setCurrentIndex(at)
    panel.colours.activated.emit(at)
    (look,) = [p for p in scene.layers if p is not layer]
    assert look.data.store.colour_by == "tile"
    assert look.contrast == (20, 200)
    assert not layer.visible
    assert scene.active is layer
    panel.colours.activated.emit(0)
    assert list(scene.layers) == [layer]
    assert layer.visible
    assert look.data.store.is_closed


def test_with_a_coloured_look_as_the_active_layer_the_mosaic_itself_is_moved(
    panel, mosaic, layer, scene
):
    at = panel.colours.findData("tile")
    panel.colours.activated.emit(at)
    (look,) = [p for p in scene.layers if p is not layer]
    scene.active = look
    assert panel.tiles.store is mosaic
    assert panel.colours.currentData() == "tile"
    panel.choose(panel.model.names[1])
    typed(panel.shift[2], "3")
    assert x_of(mosaic, panel.model.names[1]) == 23
    assert x_of(look.data.store, panel.model.names[1]) == 23


def test_only_attributes_that_tell_tiles_apart_have_a_column(panel, monkeypatch):
    store = panel.tiles.store
    told = [
        (("angle", str(i)), ("channel", "0"), ("tile", place.name))
        for i, place in enumerate(store.places)
    ]
    for tile, about in zip(store.source.tiles, told, strict=True):
        monkeypatch.setattr(
            tile, "place", replace(tile.place, attributes=about), raising=True
        )
    panel.model.take(panel.tiles)
    assert panel.model.columns == ["tile", "angle", "voxels z, y, x", "lies at z, y, x"]
