"""The row of controls shows and changes what views and layers say."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from brickfield.camera import presets
from brickfield.model.appearance import MODES

pytestmark = pytest.mark.bindings


def press(dock, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(dock.frames["3D"].picture, key, modifier)


def button(dock, name):
    action = dock.toolbar.by_name[name]
    (found,) = [
        w
        for w in dock.toolbar.row.children()
        if getattr(w, "defaultAction", lambda: None)() is action
    ]
    return found


# -- mode ------------------------------------------------------------------------


def test_all_modes_are_offered_by_name_and_explained(dock):
    combo = dock.toolbar.mode
    assert {combo.itemData(i) for i in range(combo.count())} == set(MODES)
    for i in range(combo.count()):
        assert combo.itemText(i) != combo.itemData(i)
        assert len(combo.itemData(i, Qt.ItemDataRole.ToolTipRole)) > 20


def test_choosing_a_mode_writes_it_to_the_layers(dock, scene):
    combo = dock.toolbar.mode
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_S)  # the mode whose name is Surface
    assert scene.layers[0].mode == "iso"


def test_the_shown_mode_follows_the_layer(dock, scene, blob):
    assert dock.toolbar.mode.currentData() == "mip"
    scene.layers[0].mode = "average"
    assert dock.toolbar.mode.currentData() == "average"
    other = scene.add(blob)
    assert dock.toolbar.mode.currentData() == "mip"
    scene.active = scene.layers[0]
    assert dock.toolbar.mode.currentData() == "average"
    scene.remove(scene.layers[0])
    scene.active = other
    assert dock.toolbar.mode.currentData() == "mip"


def test_without_an_image_there_is_no_mode_to_choose(make_dock, scene, blob):
    dock = make_dock()
    assert not dock.toolbar.mode.isEnabled()
    scene.add(blob)
    assert dock.toolbar.mode.isEnabled()


# -- buttons ---------------------------------------------------------------------


def test_fit_shows_everything(dock, hand):
    view = dock.main_view
    seen = view.camera
    corners = 10 * view.framing.corners()
    view.navigate(lambda camera: presets.fit(camera, corners))
    assert view.camera.position != seen.position
    hand.click(button(dock, "fit"))
    assert view.camera.position == pytest.approx(seen.position)


@pytest.mark.parametrize(
    "name", ["fit", "clip", "overlays", "camera", "record", "help"]
)
def test_every_control_says_what_it_does(dock, name):
    action = dock.toolbar.by_name[name]
    assert len(action.toolTip()) > 8
    assert not action.icon().isNull()


def test_the_clip_button_and_its_key_say_so(dock, hand, qtbot):
    heard = []
    dock.toolbar.clip_toggled.connect(heard.append)
    hand.click(button(dock, "clip"))
    press(dock, Qt.Key.Key_C)
    assert heard == [True, False]


def test_keys_for_others_are_handed_on(dock):
    heard = []
    dock.toolbar.key_pressed.connect(heard.append)
    press(dock, Qt.Key.Key_Space)
    assert heard == [int(Qt.Key.Key_Space)]


def test_a_switch_of_somebody_else_is_in_the_menu(dock, hand):
    heard = []
    action = dock.toolbar.add_toggle("link", "Link cameras", "Both move", heard.append)
    hand.choose(dock.toolbar.menu, "Link cameras")
    assert heard == [True]
    assert dock.toolbar.by_name["link"] is action


# -- views -----------------------------------------------------------------------


def test_the_views_are_chosen_by_a_row_of_buttons(dock, hand):
    row = dock.toolbar.layouts
    dock.resize(560, 300)
    segments = {b.text(): b for b in row.findChildren(type(row.compact))}
    assert list(segments) == ["3D", "xy", "xz", "yz", "2×2"]
    hand.click(segments["2×2"])
    assert set(dock.frames) == {"3D", "xy", "xz", "yz"}
    assert row.actions_by_name["2x2"].isChecked()
    hand.click(segments["2×2"])
    assert row.actions_by_name["2x2"].isChecked(), "one is always down"
    dock.set_layout("yz")
    assert row.actions_by_name["yz"].isChecked()
    assert not row.actions_by_name["2x2"].isChecked()


def test_the_oblique_slice_has_a_button_of_its_own(dock, hand):
    """Also where the other views are in a menu; it is down while that slice is shown."""
    dock.resize(516, 300)
    row = dock.toolbar.layouts
    action = dock.toolbar.by_name["plane"]
    (button,) = [
        b
        for b in dock.toolbar.row.findChildren(type(row.compact))
        if b.defaultAction() is action
    ]
    assert row.isHidden()
    assert not button.isHidden()
    hand.click(button)
    assert dock.layout_name == "plane"
    assert button.isChecked()
    dock.set_layout("xy")
    assert not button.isChecked()


def test_where_it_is_narrow_one_button_has_the_views_in_a_menu(dock, hand):
    dock.resize(320, 300)
    row = dock.toolbar.layouts
    assert row.isHidden()
    hand.choose(row.compact.menu(), "xz")
    assert dock.layout_name == "xz"
    assert row.compact.text() == "xz ▾"


@pytest.mark.parametrize("layout", ["3D", "2x2"])
def test_all_but_undo_redo_and_oblique_slices_fits_into_320_pixels(dock, layout):
    dock.set_layout(layout)
    dock.resize(320, 300)
    left_out = dock.toolbar.row.left_out
    names = ("plane", "3D+plane", "undo", "redo")
    assert left_out == [button(dock, name) for name in names]
    dock.resize(450, 300)
    assert dock.toolbar.row.left_out == []


def test_what_does_not_fit_is_in_the_menu(dock, hand):
    dock.resize(220, 300)
    assert button(dock, "record").isHidden()
    hand.choose(dock.toolbar.menu, "Movie")
    assert dock.toolbar.movies.isVisible()


# -- camera ----------------------------------------------------------------------


def test_the_projection_is_switched_and_followed(dock):
    action = dock.toolbar.by_name["projection"]
    assert not action.isChecked()
    action.trigger()
    assert dock.main_view.camera.orthographic
    press(dock, Qt.Key.Key_P)
    assert not dock.main_view.camera.orthographic
    assert not action.isChecked()
    dock.set_layout("xy")
    assert not action.isEnabled()


def test_the_style_of_turning_is_for_all_views_also_later_ones(dock, hand):
    hand.choose(dock.toolbar.menu, "Trackball")
    assert dock.frames["3D"].picture.gestures.style == "trackball"
    dock.set_layout("xy")
    dock.set_layout("3D")
    assert dock.frames["3D"].picture.gestures.style == "trackball"


def test_colour_by_level_is_switched_for_all_views_and_followed(dock):
    action = dock.toolbar.by_name["levels"]
    action.trigger()
    assert dock.main_view.show_levels
    dock.set_layout("2x2")
    assert all(view.show_levels for view in dock.views)
    for view in dock.views:
        view.show_levels = False
    assert not action.isChecked()


# -- overlays --------------------------------------------------------------------


def test_an_overlay_is_switched_on_in_all_views_also_later_ones(dock, hand):
    hand.choose(dock.toolbar.overlays, "Bounding box")
    assert dock.main_view.overlay_options("bounding_box").visible
    dock.set_layout("2x2")
    assert all(v.overlay_options("bounding_box").visible for v in dock.views)
    hand.choose(dock.toolbar.overlays, "Bounding box")
    assert not any(v.overlay_options("bounding_box").visible for v in dock.views)


def test_the_menu_shows_what_a_script_switched_on(dock):
    dock.main_view.set_overlay_options("axes", visible=True)
    dock.toolbar.overlays.follow()
    assert dock.toolbar.overlays.by_name["axes"].isChecked()


def test_the_marker_follows_the_cross_hair(dock, scene, hand):
    scene.move_cross_hair((1.0, 2.0, 3.0))
    hand.choose(dock.toolbar.overlays, "Marker")
    assert dock.main_view.overlay_options("marker").position == (1.0, 2.0, 3.0)
    scene.move_cross_hair((4.0, 2.0, 3.0))
    assert dock.main_view.overlay_options("marker").position == (4.0, 2.0, 3.0)


def test_overlays_say_what_the_scene_says_of_itself(dock, scene, blob, hand):
    menu, view = dock.toolbar.overlays, dock.main_view
    dock.main_view.set_overlay_options("scale_bar", visible=True)
    assert view.overlay_options("scale_bar").unit == "µm"
    hand.choose(menu, "Colour bar")
    assert view.overlay_options("colorbar").title == "ball"
    scene.layers[0].name = "nuclei"
    assert view.overlay_options("colorbar").title == "nuclei"
    scene.add(blob, name="membranes")
    assert view.overlay_options("colorbar").title == "membranes"
    view.set_overlay_options("colorbar", title="of mine")
    scene.layers[0].mode = "iso"
    assert view.overlay_options("colorbar").title == "of mine"


def test_the_text_is_asked_for_without_blocking(dock, hand):
    menu = dock.toolbar.overlays
    hand.choose(menu, "Text")
    assert not dock.main_view.overlay_options("text").visible
    dialog = menu.dialog
    assert dialog.isVisible()
    dialog.setTextValue("  my cells ")
    dialog.accept()
    shown = dock.main_view.overlay_options("text")
    assert (shown.visible, shown.text) == (True, "my cells")


# -- the end ---------------------------------------------------------------------


def test_a_closed_dock_is_told_nothing(dock, scene, blob):
    dock.shutdown()
    scene.add(np.zeros((8, 8, 8), np.uint8))
    scene.layers[0].mode = "iso"
    scene.move_cross_hair((1.0, 1.0, 1.0))


def test_reload_reads_the_data_of_every_layer_again(dock, scene):
    stores = {port.data.store for port in scene.layers}
    before = [store.data_version.value for store in stores]
    dock.toolbar.by_name["reload"].trigger()
    assert [s.data_version.value for s in stores] == [n + 1 for n in before]


def test_reload_says_what_cannot_be_read_again(dock, scene, monkeypatch):
    from brickfield.errors import StoreNotFoundError

    def refuse():
        raise StoreNotFoundError("expected the file; found nothing there")

    monkeypatch.setattr(scene.layers[0].data.store, "reload", refuse)
    dock.toolbar.by_name["reload"].trigger()
    assert "found nothing there" in dock.status.text.whole
