"""Volumes transformed on threads."""

import gc
import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from time import monotonic

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.transforms import TransformManager, VolumeWorker
from brickfield.transforms.requests import manager as manager_module

CUBE = np.random.default_rng(0).integers(0, 255, (9, 9, 9), np.uint8)
LONG_S = 30


class Gated:
    """A volume that is read once its gate is open."""

    def __init__(self, value=0):
        self.gate, self.reached, self.value = (
            threading.Event(),
            threading.Event(),
            value,
        )

    def __array__(self, dtype=None, copy=None):
        self.reached.set()
        assert self.gate.wait(LONG_S)
        return np.full((2, 2, 2), self.value, np.uint8)


class Slow(VolumeWorker):
    """Work that goes on until it is told to stop, or its gate opens."""

    def __init__(self, key, **how):
        super().__init__(volume=CUBE + np.uint8(key), **how)
        object.__setattr__(self, "gate", threading.Event())
        object.__setattr__(self, "began", threading.Event())
        object.__setattr__(self, "stopped", threading.Event())

    def operation(self, shape):
        return manager_module.TranslationWorker(
            volume=None, offset_voxels=(0, 0, 0)
        ).operation(shape)

    def run(self, step):
        self.began.set()
        try:
            while not self.gate.wait(0.001):
                step(50)
        except CancelledError:
            self.stopped.set()
            raise
        return np.zeros((1, 1, 1))


@pytest.fixture
def manager():
    with TransformManager(max_workers=1) as made:
        yield made


@pytest.fixture
def heard(manager):
    said = []
    for name in ("started", "progress", "completed", "error", "cancelled"):
        signal = getattr(manager, f"transform_{name}")
        signal.connect(lambda *args, n=name: said.append((n, *args)), check_nargs=False)
    return said


def test_the_five_kinds_of_requests_give_their_results(manager):
    data = CUBE
    turned = np.rot90(data, 1, axes=(0, 2))
    ids = [
        manager.submit_rotation(
            channel_id=0, volume=data, rotation_deg=90.0, center_voxels=None, axis="y",
            voxel_size=(1, 1, 1), order=1, priority=0,
        ),
        manager.submit_translation(channel_id=0, volume=data, offset_voxels=(0, 2.5, 0)),
        manager.submit_combined(
            channel_id=0, volume=data, rotation_deg=90, offset_voxels=(0, 1, 0)
        ),
        manager.submit_gaussian(channel_id=0, volume=data, sigma=2.0),
        manager.submit_downsample(channel_id=0, volume=data, factor=3),
    ]  # fmt: skip
    found = [manager.result(i, LONG_S) for i in ids]
    assert np.array_equal(found[0], turned)
    assert found[1].shape == data.shape
    assert np.array_equal(found[2][:, 1:], turned[:, :-1])
    assert found[3].std() < data.std() / 3
    assert found[4].shape == (3, 3, 3)
    assert not any(f.flags.writeable for f in found)


def test_equal_requests_share_one_computation(manager):
    blocker = Slow(1)
    manager.submit(blocker)
    assert blocker.began.wait(LONG_S)
    ids = [manager.submit_gaussian(i, CUBE.copy(), 1.0) for i in range(5)]
    other = manager.submit_gaussian(0, CUBE, 2.0)
    blocker.gate.set()
    found = [manager.result(i, LONG_S) for i in ids]
    assert all(f is found[0] for f in found)
    manager.result(other, LONG_S)
    info = manager.cache_info()
    assert info["computed"] == 3
    assert info["shared"] + info["hits"] == 4


def test_a_result_that_is_kept_is_not_computed_again(manager):
    first = manager.result(manager.submit_gaussian(0, CUBE, 1.0), LONG_S)
    assert manager.result(manager.submit_gaussian(1, CUBE, 1.0), LONG_S) is first
    info = manager.cache_info()
    assert (info["computed"], info["hits"], info["misses"]) == (1, 1, 1)
    assert (info["entries"], info["bytes"]) == (1, CUBE.nbytes)
    manager.clear_cache()
    assert manager.cache_info()["bytes"] == 0
    manager.result(manager.submit_gaussian(1, CUBE, 1.0), LONG_S)
    assert manager.cache_info()["computed"] == 2


def test_a_volume_that_was_written_to_is_computed_anew(manager):
    data = CUBE.copy()
    before = manager.result(manager.submit_translation(0, data, (0, 0, 1)), LONG_S)
    data += 1
    after = manager.result(manager.submit_translation(0, data, (0, 0, 1)), LONG_S)
    assert not np.array_equal(before, after)


def test_both_limits_of_the_cache_hold():
    with TransformManager(2, cache_size=3, cache_bytes=2 * CUBE.nbytes) as manager:
        ids = [manager.submit_gaussian(0, CUBE, s) for s in range(1, 9)]
        for i in ids:
            manager.result(i, LONG_S)
        info = manager.cache_info()
        assert info["entries"] == 2
        assert info["bytes"] == info["max_bytes"] == 2 * CUBE.nbytes


def test_the_higher_priority_goes_first_and_then_who_came_first(manager, heard):
    blocker = Slow(0)
    first = manager.submit(blocker)
    assert blocker.began.wait(LONG_S)
    low = [manager.submit_translation(0, CUBE, (0, 0, i)) for i in (1, 2)]
    high = manager.submit_translation(0, CUBE, (0, 0, 3), priority=5)
    # All keys are known before the one that blocks ends.
    while manager.cache_info()["misses"] < 4:
        threading.Event().wait(0.001)
    blocker.gate.set()
    for i in (first, *low, high):
        manager.result(i, LONG_S)
    manager.deliver()
    assert [i for n, i, *_ in heard if n == "started"] == [first, high, *low]


def test_signals_come_in_order_on_the_thread_that_delivers(manager, heard):
    i = manager.submit_gaussian(7, CUBE, 1.0)
    result = manager.result(i, LONG_S)
    assert not heard
    manager.deliver()
    assert heard[0] == ("started", i, 7)
    assert heard[-1] == ("completed", i, 7, result)
    percents = [said[2] for said in heard if said[0] == "progress"]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert manager.deliver() == 0


def test_cancelling_ends_a_running_computation(manager, heard):
    slow = Slow(2)
    i = manager.submit(slow)
    assert slow.began.wait(LONG_S)
    assert manager.cancel(i)
    assert slow.stopped.wait(LONG_S)
    with pytest.raises(CancelledError):
        manager.result(i, LONG_S)
    assert not manager.cancel(i)
    manager.deliver()
    assert heard[-1] == ("cancelled", i)


def test_a_large_volume_is_left_between_two_of_its_pieces(manager):
    big = np.zeros((256, 256, 256), np.float32)
    i = manager.submit_rotation(0, big, 30.0)
    while manager.cache_info()["misses"] < 1:
        threading.Event().wait(0.001)
    manager.cancel(i)
    # The one worker is free again: else this would take all of the turn's time.
    assert (
        manager.result(manager.submit_translation(0, CUBE, (0, 0, 0)), LONG_S)
        is not None
    )
    assert manager.cache_info()["computed"] == 1


def test_cancel_all_leaves_nothing_open(manager, heard):
    slow = Slow(3)
    ids = [manager.submit(slow), *(manager.submit_gaussian(0, CUBE, s) for s in (1, 2))]
    manager.cancel_all()
    for i in ids:
        with pytest.raises(CancelledError):
            manager.result(i, LONG_S)
    manager.deliver()
    assert sorted(said for said in heard if said[0] == "cancelled") == [
        ("cancelled", i) for i in ids
    ]


@pytest.mark.parametrize(
    "submit",
    [
        lambda m: m.submit_rotation(0, CUBE, float("nan")),
        lambda m: m.submit_rotation(0, CUBE, 5, axis="w"),
        lambda m: m.submit_rotation(0, CUBE, 5, voxel_size=(1, 0, 1)),
        lambda m: m.submit_translation(0, CUBE, (1, 2)),
        lambda m: m.submit_gaussian(0, CUBE, -1),
        lambda m: m.submit_downsample(0, CUBE, 0),
        lambda m: m.submit_gaussian(0, np.zeros((0, 2, 2)), 1),
        lambda m: m.submit_gaussian(0, np.zeros((2, 2)), 1),
    ],
)
def test_errors_are_values_and_disturb_no_other(manager, heard, submit):
    bad = submit(manager)
    good = manager.submit_translation(0, CUBE, (0, 0, 0))
    with pytest.raises(OptionError, match="expected"):
        manager.result(bad, LONG_S)
    assert np.array_equal(manager.result(good, LONG_S), CUBE)
    manager.deliver()
    assert [said[:2] for said in heard if said[0] == "error"] == [("error", bad)]


def test_whatever_a_volume_raises_becomes_an_error_of_ours(manager):
    class Broken:
        def __array__(self, dtype=None, copy=None):
            msg = "disk gone"
            raise OSError(msg)

    with pytest.raises(ValueError, match="disk gone"):
        manager.result(manager.submit_gaussian(0, Broken(), 1), LONG_S)


def test_waiting_ends_after_the_timeout(manager):
    slow = Slow(4)
    with pytest.raises(TimeoutError):
        manager.result(manager.submit(slow), 0.01)
    slow.gate.set()


def test_a_slow_reading_of_one_volume_does_not_stop_computations():
    with TransformManager(2) as manager:
        first = manager.submit_gaussian(0, CUBE, 1.0)
        gated = Gated()
        second = manager.submit_gaussian(0, gated, 1.0)
        assert manager.result(first, LONG_S) is not None
        gated.gate.set()
        assert manager.result(second, LONG_S).shape == (2, 2, 2)


def test_results_that_were_delivered_are_not_held(manager):
    manager.transform_completed.connect(lambda *_: None, check_nargs=False)
    i = manager.submit_translation(0, CUBE, (0, 0, 0))
    manager._book.request(i).over.result(LONG_S)
    manager.deliver()
    manager.clear_cache()
    gc.collect()
    with pytest.raises(OptionError, match="submit"):
        manager.result(i, LONG_S)


def test_a_listener_that_fails_disturbs_nobody(manager, heard, caplog):
    def fail(*_):
        raise KeyError

    manager.transform_started.connect(fail, check_nargs=False)
    i = manager.submit_translation(0, CUBE, (0, 0, 0))
    manager.result(i, LONG_S)
    manager.deliver()
    assert heard[-1][0] == "completed"
    assert "listener" in caplog.text


def test_there_are_threads_only_while_there_is_work(manager):
    manager.result(manager.submit_translation(0, CUBE, (0, 0, 0)), LONG_S)
    end = monotonic() + LONG_S
    while manager._threads.n_running and monotonic() < end:
        threading.Event().wait(0.001)
    assert manager._threads.n_running == 0


def test_a_closed_manager_takes_nothing(manager):
    slow = Slow(5)
    i = manager.submit(slow)
    manager.close()
    manager.close()
    with pytest.raises(CancelledError):
        manager.result(i, LONG_S)
    with pytest.raises(OptionError, match="closed"):
        manager.submit_gaussian(0, CUBE, 1)


@pytest.mark.parametrize(
    "how", [{"max_workers": 0}, {"cache_size": -1}, {"cache_bytes": "x"}]
)
def test_limits_that_make_no_sense_are_refused(how):
    with pytest.raises(OptionError, match="expected"):
        TransformManager(**how)


QT = """
import sys, threading
import numpy as np
from {binding}.QtCore import QCoreApplication, QTimer
from brickfield.transforms import TransformManager
manager = TransformManager()
app = QCoreApplication([])
def done(request, channel, result):
    assert threading.current_thread() is threading.main_thread()
    print("done", request, channel, result.shape, flush=True)
    app.quit()
manager.transform_completed.connect(done)
manager.submit_gaussian(3, np.zeros((4, 5, 6)), 1.0)
QTimer.singleShot(20000, app.quit)
app.exec()
"""


@pytest.mark.parametrize("binding", ["PyQt6", "PySide6"])
def test_signals_come_through_qts_event_loop_where_there_is_one(binding):
    pytest.importorskip(binding)
    run = subprocess.run(
        [sys.executable, "-c", QT.format(binding=binding)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "done 1 3 (4, 5, 6)\n", run.stderr
