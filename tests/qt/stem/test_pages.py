"""Pages of the dock: shape by hand, corrections, centres of mass, transforms."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from brickfield.qt.stem.cache_page import CachePage
from brickfield.qt.stem.com_page import ComPage
from brickfield.qt.stem.convert_page import ConvertPage
from brickfield.qt.stem.corrections_page import CorrectionsPage
from brickfield.qt.stem.dock import StemDock
from brickfield.qt.stem.fft_page import OVER, FFTPage, plane_of
from brickfield.qt.stem.session import COM, FFT, SCAN, VIRTUAL
from brickfield.qt.stem.shape_page import ShapePage
from brickfield.qt.stem.shapes import detector_of, outlines
from brickfield.stem4d import Annulus, Disc, Mask, Wedge
from brickfield.testing.mib import write_mib


@pytest.fixture
def mib_file(tmp_path, patterns):
    return write_mib(tmp_path / "frames.mib", patterns.reshape(-1, 16, 12))


@pytest.fixture
def make_dock(qtbot, settle):
    made = []

    def make(path):
        dock = StemDock()
        made.append(dock)
        qtbot.addWidget(dock)
        dock.show()
        dock.seen = seen = {}
        dock.session.pictured.connect(lambda r, i, _w: seen.__setitem__(r, i))
        dock.session.open(path)
        settle(dock.session)
        return dock

    yield make
    for dock in made:
        dock.shutdown()


def page(dock, kind):
    dock.sections[kind.title].is_open = True
    return dock.pages[kind.title]


def test_a_shape_that_is_typed_opens_the_file_anew(make_dock, mib_file, settle):
    dock = make_dock(mib_file)
    shape = page(dock, ShapePage)
    shape.lines.typed.emit(5.0)
    shape.positions.typed.emit(6.0)
    assert shape.apply_it.isEnabled()
    shape.apply_it.click()
    settle(dock.session)
    assert dock.session.viewer.shape[:2] == (5, 6)
    assert "As given" in shape.say.text()
    shape.lines.typed.emit(99.0)
    assert "594 frames are needed" in shape.say.text()
    assert not shape.apply_it.isEnabled()


def test_corrections_are_applied_when_asked_for(
    make_dock, mib_file, settle, tmp_path, patterns
):
    dock = make_dock(mib_file)
    corrections = page(dock, CorrectionsPage)
    assert "nothing" in corrections.say.text()
    np.save(tmp_path / "dark.npy", np.full((16, 12), 2.0))
    corrections.use("dark", str(tmp_path / "dark.npy"))
    corrections.apply_it.click()
    settle(dock.session)
    assert "dark" in corrections.say.text()
    at = dock.session.cursor
    whole = patterns.reshape(*dock.session.viewer.shape)
    np.testing.assert_allclose(dock.session.viewer.frame(*at), whole[at] - 2.0)
    corrections.use("dark", None)
    corrections.apply_it.click()
    settle(dock.session)
    assert dock.session.viewer.dtype == np.uint16


def test_centres_of_mass_are_shown(make_dock, scan_file, settle, patterns):
    dock = make_dock(scan_file)
    com = page(dock, ComPage)
    com.show_it.click()
    settle(dock.session)
    rows = np.arange(16)[:, None]
    expected = (patterns * rows).sum((2, 3)) / patterns.sum((2, 3))
    np.testing.assert_allclose(dock.seen[COM], expected)
    com.kind.setCurrentText("iCOM")
    com.kind.activated.emit(0)
    settle(dock.session)
    assert dock.seen[COM].shape == (6, 5)


def test_frequencies_are_chosen_from_the_middle(make_dock, scan_file, settle, patterns):
    dock = make_dock(scan_file)
    explorer = page(dock, FFTPage)
    explorer.mode.setCurrentText("4D")
    settle(dock.session)
    explorer.compute.click()
    settle(dock.session)
    explorer.part.setCurrentText("amplitude")
    explorer.frequency[0].typed.emit(-1.0)
    explorer.frequency[1].typed.emit(2.0)
    explorer.show_it.setChecked(True)
    settle(dock.session)
    whole = np.fft.fftshift(np.abs(np.fft.fftn(patterns)))
    np.testing.assert_allclose(dock.seen[FFT], whole[3 - 1, 2 + 2], rtol=1e-3)
    explorer.over.setCurrentText(OVER[1])
    explorer.over.activated.emit(1)
    settle(dock.session)
    np.testing.assert_allclose(dock.seen[FFT], whole[:, :, 8 - 1, 6 + 2], rtol=1e-3)


def test_frequencies_beyond_the_ends_are_those_at_the_ends():
    spectrum = np.arange(4 * 5 * 6 * 7).reshape(4, 5, 6, 7)
    plane = plane_of(spectrum, "4d", OVER[0], (-99, 99))
    np.testing.assert_array_equal(plane, np.fft.fftshift(spectrum[2, 2]))
    plane = plane_of(spectrum, "scan", OVER[1], (-3, 99))
    np.testing.assert_array_equal(plane, np.fft.fftshift(spectrum[:, :, 0, 6]))


def test_a_transform_without_a_place_leads_to_a_conversion(
    make_dock, mib_file, settle, qtbot
):
    dock = make_dock(mib_file)
    explorer = page(dock, FFTPage)
    explorer.mode.setCurrentText("4D")
    settle(dock.session)
    assert explorer.compute.text() == "Convert…"
    explorer.compute.click()
    convert = dock.pages[ConvertPage.title]
    assert convert.then_fft.isChecked()
    convert.start.click()
    qtbot.waitUntil(
        lambda: (
            dock.session.viewer is not None
            and dock.session.viewer.path.suffix == ".emd"
        ),
        timeout=30_000,
    )
    settle(dock.session)
    cache = dock.session.viewer.cache
    assert "fft_4d" in [i.item for i in cache.items() if i.is_valid]


def test_a_drag_is_answered_from_the_binned_copy_and_then_made_exact(
    make_dock, scan_file, settle, patterns
):
    dock = make_dock(scan_file)
    assert dock.session.quick is not None
    disc = Disc(8.0, 6.0, 4.0)
    shown = []
    dock.session.pictured.connect(lambda r, i, w: shown.append((r, i, w)))
    dock.set_detector(disc)
    settle(dock.session)
    first, last = (image for role, image, _ in shown if role == VIRTUAL)
    exact = patterns[:, :, disc.mask((16, 12))].sum(-1)
    np.testing.assert_allclose(first, exact, rtol=0.1)
    np.testing.assert_array_equal(last, exact)
    assert [w for r, _, w in shown if r == VIRTUAL] == [False, True]


def test_a_wedge_is_typed_and_moved(make_dock, scan_file, settle):
    dock = make_dock(scan_file)
    bar = dock.detector_bar
    bar.kind.setCurrentText("wedge")
    bar.kind.activated.emit(0)
    assert isinstance(dock.session.detector, Wedge)
    bar.boxes[5].typed.emit(120.0)
    wedge = dock.session.detector
    assert wedge.a1 == 120.0
    ((_, corners),) = outlines(wedge)
    moved = detector_of("wedge", [corners + np.array((1.5, -2))], wedge)
    assert (moved.cy, moved.cx) == pytest.approx((wedge.cy + 1.5, wedge.cx - 2))
    settle(dock.session)


def test_a_mask_comes_from_a_file(make_dock, scan_file, settle, tmp_path, patterns):
    dock = make_dock(scan_file)
    mask = np.zeros((16, 12), np.bool_)
    mask[3:5, 2:7] = True
    np.save(tmp_path / "mask.npy", mask)
    dock.detector_bar.use_mask(str(tmp_path / "mask.npy"))
    settle(dock.session)
    assert isinstance(dock.session.detector, Mask)
    np.testing.assert_array_equal(dock.seen[VIRTUAL], patterns[..., mask].sum(-1))
    np.save(tmp_path / "other.npy", mask[1:])
    dock.detector_bar.use_mask(str(tmp_path / "other.npy"))
    assert "patterns' shape" in dock.state.text()
    dock.detector_bar.kind.setCurrentText("annulus")
    dock.detector_bar.kind.activated.emit(0)
    assert isinstance(dock.session.detector, Annulus)
    settle(dock.session)


def test_the_header_says_where_results_are_kept(make_dock, scan_file, mib_file):
    assert make_dock(scan_file).header.text().endswith("results are kept in it")
    assert make_dock(mib_file).header.text().endswith("results are not kept")
    scan_file.chmod(0o444)
    beside = f"{scan_file.name}.cache.h5"
    assert make_dock(scan_file).header.text().endswith(f"kept in {beside}")


def test_a_small_transform_of_the_virtual_image_follows_the_detector(
    make_dock, scan_file, settle
):
    dock = make_dock(scan_file)
    explorer = page(dock, FFTPage)
    settle(dock.session)
    assert explorer.small.isVisible()
    first = explorer.small.pixmap().toImage()
    dock.set_detector(Disc(3, 3, 2))
    settle(dock.session)
    assert explorer.small.pixmap().toImage() != first


def test_the_time_of_a_conversion_is_said_before_it_begins(
    make_dock, scan_file, settle, tmp_path
):
    dock = make_dock(scan_file)
    converter = page(dock, ConvertPage)
    converter.target.setText(str(tmp_path / "new.emd"))
    settle(dock.session)
    assert converter.say.text().startswith(("about ", "under "))
    assert "free there" in converter.say.text()


def test_a_kept_result_is_computed_anew(make_dock, scan_file, settle):
    dock = make_dock(scan_file)
    cache = page(dock, CachePage)
    settle(dock.session)
    n = cache.table.topLevelItemCount()
    items = cache.table.findItems("scan_overview", Qt.MatchFlag.MatchExactly)
    items[0].setSelected(True)
    assert cache.again.isEnabled()
    cache.again.click()
    settle(dock.session)
    assert cache.table.topLevelItemCount() == n
    kept = dock.session.viewer.cache.get("scan_overview")
    np.testing.assert_array_equal(kept, dock.seen[SCAN])


def test_a_scan_is_followed_while_it_is_written(
    make_dock, tmp_path, patterns, settle, qtbot
):
    """Frames come in three parts; the scan has its whole shape from the first on."""
    frames = patterns.reshape(-1, 16, 12)
    whole = write_mib(tmp_path / "whole.mib", frames).read_bytes()
    path, each = tmp_path / "live.mib", len(whole) // 30
    path.write_bytes(whole[: 8 * each])
    dock = make_dock(path)
    shape = page(dock, ShapePage)
    for box, value in ((shape.lines, 6), (shape.positions, 5)):
        box.typed.emit(value)
    assert not shape.apply_it.isEnabled()
    assert "Follow" in shape.say.text()
    shape.follow_it.click()
    session = dock.session
    expected = patterns.sum(axis=(2, 3), dtype=np.uint64)

    def is_shown(n):
        found = dock.seen.get(SCAN)
        return found is not None and np.count_nonzero(found) == n

    qtbot.waitUntil(lambda: session.is_following and is_shown(8), timeout=20_000)
    assert session.viewer.shape == (6, 5, 16, 12)
    with path.open("ab") as file:
        file.write(whole[8 * each : 20 * each])
    qtbot.waitUntil(lambda: is_shown(20), timeout=20_000)
    np.testing.assert_array_equal(session.viewer.frame(3, 4), patterns[3, 4])
    assert session.viewer.cache.target is None  # nothing is kept of a part
    with path.open("ab") as file:
        file.write(whole[20 * each :])
    qtbot.waitUntil(lambda: not session.is_following, timeout=20_000)
    settle(session)
    np.testing.assert_array_equal(dock.seen[SCAN], expected)
    assert not shape.follow_it.isChecked()


def test_following_can_be_left(make_dock, mib_file, settle, qtbot):
    dock = make_dock(mib_file)
    shape = page(dock, ShapePage)
    for box, value in ((shape.lines, 9), (shape.positions, 5)):
        box.typed.emit(value)
    shape.follow_it.click()
    qtbot.waitUntil(lambda: dock.session.is_following, timeout=20_000)
    shape.follow_it.click()
    qtbot.waitUntil(lambda: not dock.session.is_following, timeout=20_000)
    settle(dock.session)
    # Nine lines were expected; those that there are stay to be seen.
    assert dock.session.viewer.shape[:2] == (6, 5)
