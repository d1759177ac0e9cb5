"""The chooser opens what is chosen, by hand or by keyboard, and reads nothing after it closes."""

import numpy as np
import pytest
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtTest import QTest

from brickfield.qt.chooser.window import MOST_AT_ONCE, ImageChooser
from brickfield.testing.zarr_stores import write_group, write_image, write_plate

pytestmark = [pytest.mark.qt, pytest.mark.bindings]


@pytest.fixture
def choose(qtbot):
    """Open the chooser of a store, and wait until everything was read."""
    opened = []

    def make(uri, shown=""):
        chooser = ImageChooser(str(uri), "it", shown=shown)
        qtbot.addWidget(chooser)
        opened.append(chooser)
        asked = chooser.asked = []
        chooser.add_asked.connect(lambda names: asked.append(("add", names)))
        chooser.replace_asked.connect(lambda names: asked.append(("replace", names)))
        chooser.show()
        there = lambda: chooser.plate is not None or chooser.images.count()  # noqa: E731
        qtbot.waitUntil(lambda: bool(there()), timeout=30_000)
        qtbot.wait(60)
        qtbot.waitUntil(lambda: chooser.reading.n_waiting == 0, timeout=30_000)
        return chooser

    yield make
    for chooser in opened:
        chooser.close()


@pytest.fixture
def plate(tmp_path):
    wells = ("A/1", "A/2", "B/1", "B/3")
    return write_plate(tmp_path / "p.zarr", wells, absent=["B/1"])


def press(widget, key):
    QTest.keyClick(widget, key)


def test_a_plate_has_its_wells_where_they_are(choose, plate):
    chooser = choose(plate)
    model = chooser.plate.model()
    assert (model.rowCount(), model.columnCount()) == (2, 3)
    assert chooser.headline.text() == "Plate of 4 wells · 1 of them without data"
    places = {
        (r, c): model.well_at(model.index(r, c)) for r in (0, 1) for c in (0, 1, 2)
    }
    assert {at for at, well in places.items() if well} == {
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 2),
    }


def test_a_well_without_data_is_told_apart_and_cannot_be_chosen(choose, plate):
    chooser = choose(plate)
    model = chooser.plate.model()
    absent, empty = model.index(1, 0), model.index(0, 2)
    tip = Qt.ItemDataRole.ToolTipRole
    assert model.data(absent, tip) == "B/1: listed on the plate, but not stored"
    assert model.data(empty, tip) == "never imaged"
    for index in (absent, empty):
        assert not model.flags(index) & Qt.ItemFlag.ItemIsSelectable


def test_the_keyboard_goes_from_well_to_well_and_opens(choose, plate):
    chooser = choose(plate)
    press(chooser.plate, Qt.Key.Key_Right)
    assert chooser.chosen == ["A/2/0"]
    press(chooser.plate, Qt.Key.Key_Return)
    assert chooser.asked == [("add", ["A/2/0"])]


def test_the_well_that_is_shown_is_chosen_first(choose, plate):
    chooser = choose(plate, shown="B/3/1")
    assert chooser.plate.current == "B/3"
    assert chooser.images.count() == 2


def test_chosen_fields_are_opened_of_every_chosen_well(choose, plate):
    chooser = choose(plate)
    table = chooser.plate
    add = QItemSelectionModel.SelectionFlag.Select
    table.selectionModel().select(table.model().index(0, 1), add)
    chooser.images.selectAll()
    assert chooser.chosen == ["A/1/0", "A/1/1", "A/2/0", "A/2/1"]
    assert chooser.summary.whole.startswith("Chosen: 4 images, A/1/0")
    chooser.replace.click()
    assert chooser.asked == [("replace", chooser.chosen)]


def test_more_than_open_at_once_are_refused_before_the_button_is_pressed(
    choose, tmp_path
):
    wells = [f"A/{i}" for i in range(1, MOST_AT_ONCE + 2)]
    chooser = choose(write_plate(tmp_path / "p.zarr", wells, 1))
    chooser.plate.selectAll()
    assert not chooser.add.isEnabled()
    assert "25 images are chosen; at most 24 open at once" in chooser.summary.whole


def test_a_list_tells_sizes_axes_and_kind_and_shows_pictures(choose, tmp_path):
    root = tmp_path / "s.zarr"
    write_group(root, {"bioformats2raw.layout": 3})
    write_image(root / "0", [np.arange(24, dtype="u1").reshape(2, 3, 4)])
    write_image(root / "1", [np.zeros((4, 5, 6), "u1")])
    chooser = choose(root, shown="1")
    assert chooser.headline.text() == "2 images"
    first, second = (chooser.images.item(i) for i in range(2))
    assert first.text() == "0\n2 × 3 × 4 · z y x"
    assert not first.icon().isNull()
    assert chooser.images.currentItem() is second
    assert chooser.chosen == ["1"]


def test_what_cannot_be_listed_is_said_in_one_sentence(qtbot, tmp_path):
    chooser = ImageChooser(str(tmp_path / "nothing.zarr"), "nothing")
    qtbot.addWidget(chooser)
    with qtbot.waitSignal(chooser.reading.failed, timeout=30_000):
        pass
    assert chooser.headline.text().startswith("expected a file or folder at")
    assert not chooser.add.isEnabled()


def test_closing_ends_the_reading(choose, plate):
    chooser = choose(plate)
    chooser.close()
    chooser.reading.want_well("A/9")
    assert chooser.reading.n_waiting == 0


def test_it_fits_in_300_pixels(choose, plate):
    chooser = choose(plate)
    chooser.resize(300, 500)
    assert chooser.width() == 300
    assert chooser.minimumSizeHint().width() <= 300
