"""Other images of a file, in a real napari window."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.plugin.docking.chooser import open_chooser, show_other_images
from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.settings import preferences
from brickfield.testing.zarr_stores import write_image, write_plate

pytestmark = pytest.mark.napari


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=True, strict_qt="raise")


@pytest.fixture
def plate(tmp_path):
    return str(write_plate(tmp_path / "p.zarr", ("A/1", "A/2", "B/1"), 1))


def chosen(viewer, layer, qtbot):
    chooser = open_chooser(viewer, layer)
    qtbot.waitUntil(lambda: chooser.plate is not None, timeout=30_000)
    return chooser


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_the_dock_says_what_the_file_holds_and_which_of_it_is_shown(viewer, plate):
    bf.open_volume(plate, viewer)
    strip = docks_of(viewer)[0].images.strip
    assert not strip.isHidden()
    assert strip.text.whole == "Plate of 3 wells: A/1/0 is shown"


def test_a_file_with_one_image_has_no_such_line(viewer, tmp_path):
    path = write_image(tmp_path / "i.zarr", [np.zeros((4, 8, 8), "u1")])
    bf.open_volume(str(path), viewer)
    assert docks_of(viewer)[0].images.strip.isHidden()


def test_added_images_are_further_layers(viewer, plate, qtbot):
    (layer,) = bf.open_volume(plate, viewer)
    chooser = chosen(viewer, layer, qtbot)
    chooser.add_asked.emit(["A/2/0", "B/1/0"])
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=30_000)
    assert names(viewer) == ["A/1/0", "A/2/0", "B/1/0"]
    assert [int(np.asarray(x.data[0]).max()) for x in viewer.layers] == [1, 11, 21]
    assert docks_of(viewer)[0].images.strip.text.whole.endswith("B/1/0 is shown")


def test_an_image_shown_instead_has_the_place_and_the_look(viewer, plate, qtbot):
    (layer,) = bf.open_volume(plate, viewer)
    viewer.add_points(np.zeros((1, 2)), name="points")
    layer.contrast_limits, layer.colormap, layer.gamma = (0, 30), "green", 0.5
    chooser = chosen(viewer, layer, qtbot)
    chooser.replace_asked.emit(["B/1/0"])
    qtbot.waitUntil(lambda: "B/1/0" in names(viewer), timeout=30_000)
    assert names(viewer) == ["B/1/0", "points"]
    shown = viewer.layers[0]
    assert tuple(shown.contrast_limits) == (0, 30)
    assert (shown.colormap.name, shown.gamma) == ("green", 0.5)


def test_what_cannot_be_opened_is_said_where_it_was_chosen(viewer, plate, qtbot):
    (layer,) = bf.open_volume(plate, viewer)
    chooser = chosen(viewer, layer, qtbot)
    chooser.add_asked.emit(["C/9/0"])
    qtbot.waitUntil(lambda: "found C/9/0" in chooser.summary.whole, timeout=30_000)
    assert names(viewer) == ["A/1/0"]


def test_the_menu_of_layers_opens_one_window_for_a_file(viewer, plate, qtbot):
    (layer,) = bf.open_volume(plate, viewer)
    show_other_images(viewer)
    first = open_chooser(viewer, layer)
    assert open_chooser(viewer, layer) is first
    assert first.isVisible()
    first.close()
    assert open_chooser(viewer, layer) is not first


@pytest.fixture
def no_dock():
    """Nothing that is opened opens the dock."""
    preferences().opening.open_dock = False
    yield
    preferences().opening.open_dock = True


def test_a_drop_that_opens_the_dock_is_told_of_there_alone(viewer, plate, qtbot):
    from napari.utils.notifications import notification_manager

    said = notification_manager.records
    said.clear()
    viewer.open(plate, plugin="napari-brickfield")
    qtbot.waitUntil(lambda: bool(docks_of(viewer)), timeout=60_000)
    qtbot.wait(50)
    assert docks_of(viewer)[0].images.strip.text.whole.endswith("A/1/0 is shown")
    assert [n.message for n in said if "is shown" in n.message] == []


def test_a_drop_without_a_dock_offers_the_choice_in_its_notice(
    viewer, plate, qtbot, no_dock
):
    from napari.utils.notifications import notification_manager

    said = notification_manager.records
    said.clear()  # of what other tests were told
    viewer.open(plate, plugin="napari-brickfield")
    text = "Plate of 3 wells: A/1/0 is shown"
    qtbot.waitUntil(lambda: any(n.message == text for n in said), timeout=30_000)
    (offer,) = [n for n in said if n.message == text]
    ((label, choose),) = offer.actions
    assert label == "Choose…"
    assert offer.source == "Brickfield", "no object's name in code"
    choose(None)
    assert open_chooser(viewer, viewer.layers[0]).isVisible()
