"""The receipt is asked of the render thread, and never waited for."""

from __future__ import annotations

import json
from concurrent.futures import Future

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from brickfield.qt.deliver import Deliverer
from brickfield.qt.panels.receipt import ReceiptPanel
from brickfield.viewer.receipts import Receipt

RECEIPT = Receipt(
    complete=True,
    time_to_first_image_s=0.2,
    time_to_complete_s=1.5,
    bytes_read=3 << 20,
    bytes_minimum=2 << 20,
    requests=12,
    chunks={"wanted": 8, "loaded": 8, "missing": 0, "failed": 0, "cancelled": 0},
    pixels={"at_target": 1.0, "coarser": 0.0, "empty": 0.0, "failed": 0.0},
    levels={"0": 8},
    target_error_px=1.0,
    gpu_bytes=4 << 20,
    gpu_budget=1 << 30,
    gpu_usable_fraction=0.9,
    ram_cache_peak_bytes=3 << 20,
    ram_budget=1 << 30,
    plan_ms={"median": 1.0, "p99": 2.0},
    upload_ms={"median": 1.0, "p99": 2.0},
    page_table_bytes_per_brick=4.0,
    frames=5,
    late_frames=0,
)


@pytest.fixture
def panel(qtbot, host, scene, blob):
    scene.add(blob)
    panel = ReceiptPanel(host, Deliverer())
    qtbot.addWidget(panel)
    yield panel
    panel.connections.release()


@pytest.fixture
def answers(host, monkeypatch):
    """Futures that the view hands out, to be answered by the test."""
    asked = []

    def receipt_later():
        asked.append(Future())
        return asked[-1]

    monkeypatch.setattr(host.main_view.pictures, "receipt_later", receipt_later)
    return asked


def test_it_asks_when_it_is_opened_and_when_it_is_told_to(panel, answers):
    assert not answers
    panel.set_open(True)
    panel.ask()
    assert len(answers) == 2


def test_the_answer_is_shown_when_it_comes(panel, answers, settle):
    panel.set_open(True)
    assert panel.words.text() == "Asking…"
    answers[0].set_result(RECEIPT)
    settle()
    assert panel.words.text() == (
        "Complete: as sharp everywhere as was asked for."
        " 3 MiB came in 12 reads, 50 % more than needed."
    )
    assert panel.receipt is RECEIPT


def test_an_old_answer_is_not_taken_for_a_new_one(panel, answers, settle):
    panel.ask()
    panel.ask()
    answers[0].set_result(RECEIPT)
    settle()
    assert panel.receipt is None


def test_a_fault_is_said_in_words(panel, answers, settle):
    panel.ask()
    answers[0].set_exception(RuntimeError("the device was lost"))
    settle()
    assert panel.words.text() == "There is no receipt: the device was lost"
    assert not panel.copy.isEnabled()


def test_the_clipboard_gets_the_json(panel, answers, settle):
    panel.ask()
    answers[0].set_result(RECEIPT)
    settle()
    QTest.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    assert json.loads(QApplication.clipboard().text())["bytes_read"] == 3 << 20


def test_without_layers_there_is_nothing_to_ask(panel, answers, scene):
    scene.remove(scene.layers[0])
    panel.ask()
    assert not answers
    assert panel.words.text() == "There is no picture yet."


def test_a_receipt_that_was_asked_too_early_is_asked_again(
    make_dock, scene, blob, hand
):
    dock = make_dock()
    panel = dock.panels.receipt
    dock.panels.open(panel)
    assert panel.receipt is None
    scene.add(blob).contrast = (0, 1000)
    hand.wait(lambda: panel.receipt is not None and panel.receipt.complete)
