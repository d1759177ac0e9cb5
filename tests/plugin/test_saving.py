"""Saving from napari's File menu, beside the window."""

import os
import signal
import threading
from concurrent.futures import Future

import numpy as np
import pytest
import yaozarrs
from qtpy.QtCore import QTimer

from brickfield.errors import BudgetError, StoreWriteError
from brickfield.plugin.saving import save_beside
from brickfield.qt import task_board, turn_until
from brickfield.store import open_store


@pytest.fixture(autouse=True)
def _app(qtbot):
    """An application, and nothing on its board afterwards."""
    yield
    assert task_board().running == ()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def write_text(beside, _running):
    beside.write_text("all of it")
    return True


def wait_for_cancel(beside, running):
    """Half of a folder, until it is not wanted any more."""
    beside.mkdir()
    (beside / "half").write_text("half")
    running.cancelled.wait(20)
    return False


def test_a_save_returns_its_path_and_leaves_nothing_else(tmp_path):
    path = str(tmp_path / "a.txt")
    assert save_beside("Saving a", path, write_text) == [path]
    assert names_in(tmp_path) == ["a.txt"]


def test_the_window_goes_on_while_a_save_runs(tmp_path):
    """A timer of the event loop lets the save end, which runs on a thread."""
    go_on, threads = threading.Event(), []
    QTimer.singleShot(0, go_on.set)

    def write(beside, _running):
        threads.append(threading.current_thread())
        return go_on.wait(20) and write_text(beside, _running)

    path = str(tmp_path / "a.txt")
    assert save_beside("Saving a", path, write) == [path]
    assert threads[0] is not threading.main_thread()


def test_it_is_on_the_board_while_it_runs(tmp_path):
    seen, go_on = [], threading.Event()

    def look():
        seen.extend(running.task.title for running in task_board().running)
        go_on.set()

    QTimer.singleShot(0, look)
    save_beside(
        "Saving a",
        str(tmp_path / "a"),
        lambda b, r: go_on.wait(20) and write_text(b, r),
    )
    assert seen == ["Saving a"]


def test_nothing_is_under_the_final_name_before_all_is_written(tmp_path):
    path, seen = tmp_path / "a.txt", []

    def write(beside, running):
        write_text(beside, running)
        seen.append(path.exists())
        return True

    save_beside("Saving a", str(path), write)
    assert seen == [False]


@pytest.mark.filterwarnings("error")
def test_a_cancelled_save_leaves_nothing_and_is_no_error(tmp_path):
    QTimer.singleShot(0, task_board().cancel_all)
    assert save_beside("Saving a", str(tmp_path / "a"), wait_for_cancel) == []
    assert names_in(tmp_path) == []


def test_ctrl_c_cancels_a_save(tmp_path):
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        save_beside("Saving a", str(tmp_path / "a"), wait_for_cancel)
    assert names_in(tmp_path) == []


def test_a_second_save_waits_for_the_first(tmp_path):
    """It is asked for while the first runs; both are written, one after the other."""
    order, go_on, begun = [], threading.Event(), Future()

    def slow(beside, running):
        order.append("first begins")
        begun.set_result(None)
        go_on.wait(20)
        order.append("first ends")
        return write_text(beside, running)

    def quick(beside, running):
        order.append("second")
        return write_text(beside, running)

    def begin_second():
        turn_until(begun)
        QTimer.singleShot(0, look)
        save_beside("Saving b", str(tmp_path / "b"), quick)

    def look():
        order.append(" ".join(r.task.text for r in task_board().running))
        go_on.set()

    QTimer.singleShot(0, begin_second)
    save_beside("Saving a", str(tmp_path / "a"), slow)
    assert order == ["first begins", " waiting", "first ends", "second"]
    assert names_in(tmp_path) == ["a", "b"]


@pytest.mark.parametrize(
    "error", [BudgetError("too little"), OSError(28, "No space left on device")]
)
def test_whatever_goes_wrong_is_a_write_error_and_leaves_nothing(tmp_path, error):
    """napari takes a ValueError for "no writer" and says nothing."""

    def write(beside, running):
        write_text(beside, running)
        raise error

    with pytest.raises(StoreWriteError, match=r"too little|No space left") as found:
        save_beside("Saving a", str(tmp_path / "a"), write)
    assert not isinstance(found.value, ValueError)
    assert names_in(tmp_path) == []


def test_what_exists_is_not_replaced(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(StoreWriteError, match="exists"):
        save_beside("Saving a", str(tmp_path / "a"), write_text)
    assert (tmp_path / "a").read_text() == "old"


def test_without_an_event_loop_it_is_written_at_once(tmp_path):
    """A script saves on a thread of its own."""
    path, found = str(tmp_path / "a"), []
    thread = threading.Thread(
        target=lambda: found.append(save_beside("Saving a", path, write_text))
    )
    thread.start()
    thread.join()
    assert found == [[path]]


@pytest.mark.napari
def test_a_layer_saved_from_napari_is_whole_and_the_window_turned(
    tmp_path, make_napari_viewer
):
    viewer = make_napari_viewer()
    data = np.arange(8 * 24 * 24, dtype=np.uint16).reshape(8, 24, 24)
    viewer.add_image(data, name="ramp")
    turns = []
    QTimer.singleShot(0, lambda: turns.append(1))
    path = str(tmp_path / "a.ome.zarr")
    assert viewer.layers.save(path, plugin="napari-brickfield") == [path]
    assert turns == [1]
    with open_store(path) as store:
        assert np.array_equal(store.read(0), data)
    yaozarrs.validate_zarr_store(path)
    assert names_in(tmp_path) == ["a.ome.zarr"]


@pytest.mark.napari
def test_one_thread_works_on_a_save_and_one_encodes(tmp_path, monkeypatch):
    """The window needs a core of its own, and the interpreter now and then."""
    from brickfield.plugin import writer
    from brickfield.writing import stored_level

    begun, workers = [], set()
    context = stored_level._context
    write = stored_level.StoredLevel.write

    def begin(n_threads, syncs):
        begun.append(n_threads)
        return context(n_threads, syncs)

    def note(level, region, data):
        workers.add(threading.current_thread())
        write(level, region, data)

    monkeypatch.setattr(stored_level, "_context", begin)
    monkeypatch.setattr(stored_level.StoredLevel, "write", note)
    data = np.zeros((130, 130, 130), np.uint8)
    data[::3] = 1
    meta = {"name": "a", "scale": (1.0,) * 3, "translate": (0.0,) * 3}
    path = str(tmp_path / "a.ome.zarr")
    assert writer.write_image(path, data, meta) == [path]
    assert set(begun) == {1}
    assert len(workers) == 1
    assert threading.main_thread() not in workers
