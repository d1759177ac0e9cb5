"""The dock for scans shows what is open and does what its controls say, without napari."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from qtpy.QtWidgets import QScrollArea

from brickfield.qt.stem.dock import StemDock
from brickfield.stem4d import Annulus, Disc, open_scan


@pytest.fixture
def dock(qtbot, scan_file, settle):
    made = StemDock()
    qtbot.addWidget(made)
    made.show()
    made.session.open(scan_file)
    settle(made.session)
    yield made
    made.shutdown()


def test_the_header_says_what_is_open_and_how_sure_its_shape_is(dock):
    assert dock.header.text().startswith(
        "scan.emd · 6 × 5 × 16 × 12 uint16 · scan from"
    )
    assert "sure" in dock.header.text()


@pytest.mark.parametrize("kind", ["disc", "annulus", "rectangle"])
def test_it_fits_a_dock_of_300_pixels_with_all_pages_open(dock, settle, kind):
    for section in dock.sections.values():
        section.is_open = True
    dock.detector_bar.kind.setCurrentText(kind)
    dock.detector_bar.kind.activated.emit(0)
    settle(dock.session)
    scroll = dock.findChild(QScrollArea)
    bar = scroll.verticalScrollBar().sizeHint().width()
    assert scroll.widget().minimumSizeHint().width() + bar <= 300


def test_opening_begins_with_a_detector(dock):
    assert isinstance(dock.session.detector, Disc)
    assert "exact" in dock.state.text()


def test_a_typed_radius_is_the_detectors(dock, settle):
    dock.detector_bar.boxes[2].typed.emit(5.0)
    assert dock.session.detector.r == 5.0
    settle(dock.session)


def test_another_kind_is_chosen_in_the_box(dock, settle):
    dock.detector_bar.kind.setCurrentText("annulus")
    dock.detector_bar.kind.activated.emit(1)
    assert isinstance(dock.session.detector, Annulus)
    settle(dock.session)


def test_the_cache_page_lists_and_drops_what_is_kept(dock, settle):
    page = dock.pages["Cache"]
    page.set_open(True)
    settle(dock.session)
    names = [
        page.table.topLevelItem(i).text(0)
        for i in range(page.table.topLevelItemCount())
    ]
    assert "scan_overview" in names
    page.table.topLevelItem(names.index("scan_overview")).setSelected(True)
    page.drop.click()
    settle(dock.session)
    assert page.table.topLevelItemCount() == len(names) - 1


def test_a_conversion_writes_the_scan_and_opens_it(
    dock, patterns, settle, tmp_path, qtbot
):
    page = dock.pages["Convert to EMD"]
    page.set_open(True)
    page.target.setText(str(tmp_path / "again.emd"))
    page.start.click()
    qtbot.waitUntil(lambda: dock.session.name == "again", timeout=30_000)
    settle(dock.session)
    scan = open_scan(tmp_path / "again.emd")
    try:
        assert scan.data.shape == patterns.shape
    finally:
        scan.close()


def test_what_cannot_be_written_is_said_before_it_is_tried(dock):
    page = dock.pages["Convert to EMD"]
    page.set_open(True)
    page.target.setText(str(dock.session.viewer.path))
    assert not page.start.isEnabled()
    assert "is there already" in page.say.text()


def test_a_transform_is_computed_and_shown_at_the_cursor(dock, patterns, settle):
    seen = {}
    dock.session.pictured.connect(lambda role, image, _: seen.update({role: image}))
    page = dock.pages["FFT explorer"]
    page.set_open(True)
    page.show_it.setChecked(True)
    page.part.setCurrentText("amplitude")
    page.mode.setCurrentText("each pattern")
    settle(dock.session)
    assert page.compute.isEnabled()
    page.compute.click()
    settle(dock.session)
    expected = np.abs(np.fft.fftshift(np.fft.fft2(patterns[3, 2])))
    np.testing.assert_allclose(seen["fft"], expected, rtol=1e-3, atol=1)
    assert page.say.text() == "Kept with the scan."


def test_the_cache_page_says_why_nothing_is_kept(dock, settle, scan_file):
    folder = Path(scan_file).parent
    folder.chmod(0o555)
    try:
        dock.pages["Cache"].set_open(True)
        settle(dock.session)
        assert "may not be written to" in dock.pages["Cache"].say.text()
    finally:
        folder.chmod(0o755)


def test_a_transform_that_is_not_there_is_offered_not_missed(dock, settle):
    """The dock says no sentence about it that were wrong once it is computed."""
    page = dock.pages["FFT explorer"]
    page.set_open(True)
    page.show_it.setChecked(True)
    page.mode.setCurrentText("each pattern")
    settle(dock.session)
    assert page.compute.isEnabled()
    assert "expected" not in dock.state.text()
    dock.session.set_cursor(0, 0)
    settle(dock.session)
    assert "expected" not in dock.state.text()


def test_a_file_of_several_scans_has_a_slider_for_them(dock, settle, tmp_path):
    several = np.random.default_rng(5).integers(0, 99, (3, 4, 5, 8, 8)).astype("u2")
    with h5py.File(tmp_path / "tilts.h5", "w") as file:
        file["data"] = several
    page = dock.pages["Scan shape"]
    assert page.series.isHidden()
    dock.session.open(tmp_path / "tilts.h5")
    settle(dock.session)
    assert not page.series.isHidden()
    dock.sections["Scan shape"].is_open = True
    scroll = dock.findChild(QScrollArea)
    bar = scroll.verticalScrollBar().sizeHint().width()
    assert scroll.widget().minimumSizeHint().width() + bar <= 300
    page.series.setValue(2)
    settle(dock.session)
    assert page.series_name.text() == "series 2 of 3, from 0"
    np.testing.assert_array_equal(dock.session.viewer.frame(1, 1), several[2, 1, 1])
