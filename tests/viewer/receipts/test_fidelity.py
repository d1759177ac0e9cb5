"""A picture is called final only when nothing finer is wanted on any ray."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from brickfield.store import open_store
from brickfield.testing.zarr_stores import write_array
from brickfield.viewer.receipts.fidelity import least_true, notes_of

pytestmark = pytest.mark.gpu


@pytest.fixture
def large() -> list[np.ndarray]:
    """Three levels of 256, 128 and 64 voxels along every axis, uint8, all noise."""
    fine = np.random.default_rng(1).integers(1, 255, (256, 256, 256), np.uint8)
    return [fine, fine[::2, ::2, ::2], fine[::4, ::4, ::4]]


def test_a_picture_is_improving_until_it_is_final(make_live, memory_scene, turns, box):
    view, words = make_live(), []
    assert view.fidelity == "improving"
    view.fidelity_changed.connect(words.append)
    memory_scene.add(box)
    assert turns.run_until(lambda: view.is_settled)
    assert view.fidelity == "final"
    assert view.receipt["fidelity"] == "final"
    view.quality = 2.0
    assert turns.run_until(lambda: view.is_settled)
    assert words == ["final", "improving", "final"]


def test_a_change_of_a_layer_is_in_the_word_at_once(
    make_live, memory_scene, turns, box
):
    """No turn of the event loop lies between the change and the word."""
    view, words = make_live(), []
    port = memory_scene.add(box)
    assert turns.run_until(lambda: view.is_settled and view.fidelity == "final")
    view.fidelity_changed.connect(words.append)
    port.contrast = (3.0, 90.0)
    assert view.fidelity == "improving"
    assert words == ["improving"]
    assert turns.run_until(lambda: view.fidelity == "final")
    memory_scene.add(box)
    assert view.fidelity == "improving"
    assert turns.run_until(lambda: view.fidelity == "final")
    assert words == ["improving", "final", "improving", "final"]


def test_it_is_told_that_a_picture_begins_or_ends_to_be_seen(
    make_live, memory_scene, turns, box
):
    view, seen = make_live(is_shown=False), []
    view.client.seen_changed.connect(
        lambda: seen.append(view.is_shown and bool(view.layers))
    )
    port = memory_scene.add(box)
    assert not seen
    view.is_shown = True
    assert turns.run_until(lambda: view.is_settled)
    memory_scene.remove(port)
    assert seen == [True, False]


def test_a_preview_of_data_that_are_not_there_is_never_final(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box).data.store.is_preview = True
    assert turns.run_until(lambda: view.is_settled)
    assert view.fidelity == "limited"
    assert view.receipt["fidelity"] == "limited"
    assert view.report.is_preview


def test_what_the_budget_keeps_coarse_is_called_limited(
    make_live, memory_scene, turns, large
):
    view = make_live()
    view.resize((600, 600))
    view.gpu_budget = 8 << 20
    memory_scene.add(large)
    assert turns.run_until(lambda: view.is_settled)
    assert view.fidelity == "limited"
    assert view.report.is_coarsened
    assert view.receipt["fidelity"] == "limited"
    assert view.receipt.pixels["coarser"] > 0
    view.gpu_budget = 256 << 20
    assert turns.run_until(lambda: view.fidelity == "final")
    assert view.receipt.pixels["coarser"] == 0


def test_a_picture_with_unreadable_parts_is_called_failed(
    make_live, memory_scene, turns, tmp_path
):
    data = np.full((64, 128, 128), 100, np.uint8)
    write_array(tmp_path / "a.zarr", data, chunks=(64, 64, 64))
    (tmp_path / "a.zarr" / "0" / "1" / "1").write_bytes(b"no chunk")
    store = open_store(str(tmp_path / "a.zarr"))
    view = make_live()
    memory_scene.add(store)
    assert turns.run_until(lambda: view.fidelity == "failed")
    assert view.receipt["fidelity"] == "failed"
    view.screenshot(tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").text["brickfield-fidelity"] == "failed"
    view.close()
    store.close()


def test_the_least_true_of_several_pictures_speaks_for_all():
    assert least_true([]) == ""
    assert least_true(["final", "limited"]) == "limited"
    assert least_true(["failed", "limited"]) == "failed"
    assert least_true(["failed", "improving", "final"]) == "improving"


def test_a_file_says_in_words_how_true_it_is():
    assert notes_of("final")["Description"] == "complete"
    assert "coarser" in notes_of("limited")["Description"]
    assert notes_of("failed")["Description"].startswith("incomplete")
