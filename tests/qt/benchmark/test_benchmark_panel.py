"""The window that measures this machine."""

import json
from threading import Event

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDialog, QPushButton

from brickfield.benchmarks import BenchmarkResult, TestResult, cases
from brickfield.qt.benchmark import ComparisonDialog, PerformanceBenchmarkDialog
from brickfield.qt.benchmark.panel import BenchmarkPanel

pytestmark = [pytest.mark.qt, pytest.mark.bindings]
COLUMNS = ["mean_ms", "median_ms", "std_ms", "min_ms", "max_ms", "p95_ms", "mvox_per_s"]


@pytest.fixture
def dialog(qtbot):
    """A window in which quick tests of small sizes are chosen."""
    made = PerformanceBenchmarkDialog(np.arange(9 * 20 * 20).reshape(9, 20, 20))
    qtbot.addWidget(made)
    for name, box in made.panel.tests.items():
        box.setChecked(name in ("shift", "downsample_3"))
    for box in made.panel.sizes.values():
        box.setChecked(False)
    made.panel.current.setChecked(True)
    made.panel.iterations.setValue(3)
    made.show()
    return made


def run(dialog, qtbot):
    with qtbot.waitSignal(dialog.panel.finished, timeout=30_000):
        dialog.panel.start.click()
    return dialog.panel


def texts(table, row):
    return [table.item(row, c).text() for c in range(table.columnCount())]


def number(text):
    return float(text.replace(",", ""))


def test_the_choices_begin_as_the_guide_says(qtbot):
    dialog = PerformanceBenchmarkDialog()
    qtbot.addWidget(dialog)
    panel = dialog.panel
    assert [n for n, box in panel.sizes.items() if box.isChecked()] == [200]
    assert all(box.isChecked() for box in panel.tests.values())
    assert not panel.current.isEnabled()
    assert (panel.iterations.value(), panel.warmup.value()) == (5, 1)
    assert panel.options.sizes == (200,)


def test_the_table_shows_the_numbers_of_the_result(dialog, qtbot):
    panel = run(dialog, qtbot)
    assert panel.table.rowCount() == 2
    for number_of_row, row in enumerate(panel.result.results):
        shown = texts(panel.table, number_of_row)
        assert shown[1] == "9 × 20 × 20"
        values = row.to_dict()
        for text, name in zip(shown[2:], COLUMNS, strict=True):
            assert number(text) == pytest.approx(values[name], rel=0.06, abs=6e-4)
    assert panel.result.complete
    assert panel.words.text().startswith("Done")


def test_what_is_exported_is_what_is_shown(dialog, qtbot, tmp_path):
    panel = run(dialog, qtbot)
    panel.export(tmp_path / "a.json")
    panel.export(tmp_path / "a.csv")
    assert BenchmarkResult.read_json(tmp_path / "a.json") == panel.result
    assert (tmp_path / "a.csv").read_text("utf-8") == panel.result.to_csv()
    assert panel.words.text() == "Written: a.csv"


def test_a_cancel_keeps_what_is_done(dialog, qtbot, monkeypatch):
    at_work, go_on = Event(), Event()

    def slow(volume):
        at_work.set()
        assert go_on.wait(20)
        return volume

    monkeypatch.setitem(cases._ON_VOXELS, "downsample_3", slow)
    panel = dialog.panel
    panel.warmup.setValue(0)
    panel.start.click()
    qtbot.waitUntil(at_work.is_set, timeout=20_000)
    assert not panel.start.isEnabled()
    with qtbot.waitSignal(panel.finished, timeout=20_000):
        panel.cancel.click()
        go_on.set()
    assert [len(row.times_ms) for row in panel.rows] == [3, 1]
    assert not panel.result.complete
    assert panel.json.isEnabled()
    assert "what is done" in panel.words.text()


def test_the_event_loop_turns_while_tests_run(dialog, qtbot, monkeypatch):
    at_work, turned = Event(), Event()

    def waits(volume):
        at_work.set()
        assert turned.wait(20)
        return volume

    monkeypatch.setitem(cases._ON_VOXELS, "shift", waits)
    QTimer.singleShot(0, lambda: None)
    dialog.panel.start.click()
    qtbot.waitUntil(at_work.is_set, timeout=20_000)
    with qtbot.waitSignal(dialog.panel.finished, timeout=20_000):
        turned.set()


def test_a_test_that_fails_is_told_and_the_others_are_there(dialog, qtbot, monkeypatch):
    def fail(_volume):
        msg = "there is no room"
        raise MemoryError(msg)

    monkeypatch.setitem(cases._ON_VOXELS, "shift", fail)
    panel = run(dialog, qtbot)
    assert "there is no room" in panel.words.text()
    assert texts(panel.table, 0)[2] == "failed"
    assert panel.rows[1].complete


def test_without_a_test_or_a_size_nothing_begins(dialog):
    dialog.panel.current.setChecked(False)
    dialog.panel.start.click()
    assert "Choose at least one" in dialog.panel.words.text()
    assert not dialog.panel.is_running


def write(path, **times):
    rows = tuple(
        TestResult(test, (9, 9, 9), "uint16", tuple(values))
        for test, values in times.items()
    )
    BenchmarkResult("2026", True, {"cpu": "a"}, {}, rows).write_json(path)
    return path


def test_two_files_are_compared_as_table_and_bars(dialog, tmp_path):
    old = write(tmp_path / "a.json", shift=[10, 11, 9], read=[5, 5], gaussian=[8, 8])
    new = write(tmp_path / "b.json", shift=[5, 5, 5], read=[5, 5], gaussian=[16, 16])
    dialog.panel.compare_with(old, new)
    (window,) = dialog.findChildren(ComparisonDialog)
    shown = [texts(window.table, row) for row in range(3)]
    assert [row[0] for row in shown] == ["Shift", "Read", "Gaussian"]
    assert [row[5] for row in shown] == ["0.50", "1.00", "2.00"]
    assert [row[6].split(",")[0] for row in shown] == ["faster", "same", "slower"]
    picture = window.table.cellWidget(0, 4).pixmap().toImage()
    above = sum(picture.pixelColor(x, 4).alpha() > 0 for x in range(picture.width()))
    below = sum(picture.pixelColor(x, 14).alpha() > 0 for x in range(picture.width()))
    assert below == pytest.approx(above / 2, abs=1)
    assert "1 faster, 1 slower, 1 the same" in window.words.text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "a benchmark's result"),
        (json.dumps({"format": "brickfield benchmark", "schema": 9}), "schema 1"),
    ],
)
def test_a_file_that_is_none_or_of_another_version_is_told(
    dialog, tmp_path, text, told
):
    path = tmp_path / "a.json"
    path.write_text(text)
    dialog.panel.compare_with(path)
    assert told in dialog.panel.words.text()
    assert not dialog.findChildren(ComparisonDialog)


def test_it_can_be_waited_for_by_both_names(dialog):
    for name in ("exec", "exec_"):
        QTimer.singleShot(0, dialog.accept)
        assert getattr(dialog, name)() == QDialog.DialogCode.Accepted


def test_a_voxel_storage_is_measured_by_its_first_channel(qtbot):
    class Storage:
        channel_ids = (0,)
        channel_names = {0: "nuclei"}  # noqa: RUF012 -- as another program has it

        def channel(self, _number):
            return np.zeros((12, 12, 12), np.uint16)

    made = PerformanceBenchmarkDialog(voxel_storage=Storage())
    qtbot.addWidget(made)
    panel = made.panel
    assert "nuclei" in panel.current.text()
    for name, box in panel.tests.items():
        box.setChecked(name == "shift")
    for box in panel.sizes.values():
        box.setChecked(False)
    panel.current.setChecked(True)
    panel.iterations.setValue(1)
    panel.start.click()
    qtbot.waitUntil(lambda: panel.start.isEnabled(), timeout=30_000)
    (row,) = panel.result.results
    assert (row.size, row.error) == ((12, 12, 12), None)


def test_buttons_are_named_as_what_they_do(dialog):
    names = {b.accessibleName() for b in dialog.findChildren(QPushButton)}
    assert {"Run", "Cancel", "Export CSV", "Export JSON", "Compare"} <= names


def test_it_fits_beside_the_picture_in_a_small_window(qtbot):
    """A long name of a layer makes it no wider; a dock takes half of 1280 pixels."""
    panel = BenchmarkPanel(lambda: ("a very long name of a layer " * 9, None))
    qtbot.addWidget(panel)
    assert panel.minimumSizeHint().width() <= 560
    assert "very long name" in panel.current.toolTip()
