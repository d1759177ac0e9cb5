"""The status line in a dock is never better than the picture."""

import numpy as np
import pytest
import zarr

from brickfield.qt.view.picture import NO_PICTURE
from brickfield.store import open_store


@pytest.fixture
def damaged(tmp_path):
    """A volume in four files, two of which are no chunks."""
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(64, 128, 128), chunks=(64, 64, 64), dtype="u2"
    )
    array[:] = 100
    files = [tmp_path / "a.zarr" / "c" / "0" / y / x for y in "01" for x in "01"]
    kept = files[0].read_bytes()
    for file in files[2:]:
        file.write_bytes(b"no chunk")
    store = open_store(str(tmp_path / "a.zarr"))
    yield store, files, kept
    store.close()


def test_a_complete_picture_says_so_and_shows_no_bar(dock, hand):
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")
    assert dock.status.text.whole == "full resolution"
    assert dock.status.bar.isHidden()
    assert dock.status.failures.isHidden()


def test_the_badge_is_never_better_than_the_picture(dock, hand):
    """A resize makes the picture another one: the word goes at once, not later."""
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")
    told = []
    dock.main_view.fidelity_changed.connect(
        lambda word: told.append((word, dock.status.fidelity.text()))
    )
    dock.resize(dock.width() + 40, dock.height())
    hand.wait(lambda: bool(told))
    assert told[0] == ("improving", "improving")
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")


def test_layers_that_are_taken_away_and_others_leave_no_word_of_the_first(
    dock, scene, blob, hand
):
    """As when a scene is opened: its pictures are still to come."""
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")
    for port in list(scene.layers):
        scene.remove(port)
    hand.wait(dock.status.fidelity.isHidden)
    scene.add(blob, name="another")
    is_seen = dock.status.fidelity.isVisible()
    assert not is_seen or dock.status.fidelity.text() == "improving"
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")


def test_a_view_that_comes_in_takes_the_word_back_at_once(dock, hand):
    """Of another layout's views, one that is not drawn yet speaks for all."""
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")
    dock.set_layout("2x2")
    least = dock.status.fidelity.text()
    words = {v.kind: v.fidelity for v in dock.views if v.is_shown}
    assert "improving" not in words.values() or least == "improving"
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")


def test_damaged_chunks_are_counted_listed_and_read_again(
    make_dock, scene, damaged, hand
):
    store, files, kept = damaged
    scene.add(store)
    dock = make_dock()
    status = dock.status
    hand.wait(lambda: status.failures.text() == "2 chunks")
    said = "2 chunks could not be read, shown coarser · full resolution"
    hand.wait(lambda: status.text.whole == said)
    hand.wait(lambda: status.fidelity.text() == "failed parts")
    hand.click(status.failures)
    table = status.failure_list.table
    assert {table.topLevelItem(i).text(1) for i in range(2)} == {"0, 1, 0", "0, 1, 1"}
    for file in files[2:]:
        file.write_bytes(kept)
    hand.click(status.failure_list.retry)
    hand.wait(lambda: status.text.whole == "full resolution")
    assert status.failures.isHidden()
    assert status.failure_list.summary.text() == "Every chunk could be read."


def test_a_long_text_does_not_widen_the_dock(dock):
    dock.resize(320, 300)
    dock.status.say("a notice " * 40)
    assert dock.status.text.text().endswith("…")
    assert dock.width() == 320
    assert dock.minimumSizeHint().width() <= 300


def test_a_notice_goes_and_the_progress_comes_back(dock, hand):
    hand.settle(dock)
    dock.status.say("saved a.png", seconds=0.05)
    assert dock.status.text.whole == "saved a.png"
    hand.wait(lambda: dock.status.text.whole == "full resolution")


def test_what_is_waited_for_stands_before_the_progress(dock, hand):
    hand.settle(dock)
    dock.status.set_job("saving a.png")
    hand.wait(lambda: dock.status.text.whole == "saving a.png · full resolution")
    dock.status.set_job("")
    assert dock.status.text.whole == "full resolution"


def test_an_error_is_readable_in_a_narrow_dock(make_dock, scene, hand):
    scene.add(np.zeros((8, 8, 8), np.uint8))
    dock = make_dock(size=(300, 300))
    view = dock.main_view
    hand.settle(dock)
    sentence = (
        "expected a graphics adapter with Vulkan, Metal or DX12; found none:"
        " install mesa-vulkan-drivers, or choose a machine that has one of them"
    )
    view.client.take_report(type(view.report)(error=sentence))
    hand.wait(lambda: dock.status.error.isVisible())
    assert dock.status.error.text() == "E" + sentence[1:]
    assert dock.frames["3D"].picture.text() == NO_PICTURE, "the sentence stands once"
    assert dock.status.fidelity.isHidden(), "there is no picture that lacks parts"
    assert dock.status.error.height() > 2 * dock.status.fontMetrics().height()
    assert dock.width() == 300


def test_a_view_that_left_is_told_of_no_more(dock, hand, scene, blob):
    dock.set_layout("2x2")
    hand.settle(dock)
    dock.set_layout("xy")
    hand.settle(dock)
    hand.wait(lambda: dock.status.text.whole == "full resolution")


def test_the_badge_does_not_speak_for_pictures_that_have_just_come(dock, hand):
    hand.settle(dock)
    hand.wait(lambda: dock.status.fidelity.text() == "final")
    dock.set_layout("2x2")
    assert dock.status.fidelity.text() == "improving"
