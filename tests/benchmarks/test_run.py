"""Runs of benchmarks: what is kept, whatever happens."""

import itertools
from contextlib import ExitStack
from threading import Event

import dask.array as da
import numpy as np
import pytest
import zarr

import brickfield as bf
from brickfield.benchmarks import TESTS, as_source, cases, run_benchmarks
from brickfield.benchmarks.subject import Subject
from brickfield.errors import OptionError
from brickfield.sources import from_arrays


class Clock:
    """A second passes from one question to the next."""

    def __init__(self):
        self.n = 0

    def __call__(self):
        self.n += 1
        return float(self.n)


@pytest.mark.gpu
@pytest.mark.parametrize("test", TESTS)
def test_every_test_runs_and_asks_the_clock_twice_a_call(test):
    clock = Clock()
    found = run_benchmarks((test,), (24,), iterations=2, warmup=1, clock=clock)
    assert clock.n == 2 * 3
    (row,) = found.results
    assert row.error is None
    assert (row.test, row.size, row.dtype) == (test, (24, 24, 24), "uint16")
    assert row.times_ms == (1000, 1000)
    assert row.mvox_per_s == pytest.approx(24**3 / 1e6)
    assert found.complete
    if test == "render":
        assert 0 <= row.further["hit_rate"] <= 1
        assert row.further["frame_p95_ms"] >= row.further["frame_p50_ms"] > 0
        assert row.further["bytes_read"] > 0
        assert "in memory" in row.further_text


def test_results_are_in_order_and_progress_is_told():
    told = []
    found = run_benchmarks(
        ("gaussian", "shift"), (8, 9), iterations=2, warmup=0, progress=told.append
    )
    assert [(r.test, r.size[0]) for r in found.results] == [
        ("gaussian", 8), ("shift", 8), ("gaussian", 9), ("shift", 9),
    ]  # fmt: skip
    assert told[-1].done == told[-1].total == 8
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert found.to_dict()["options"]["sizes"] == [8, 9]
    assert set(found.machine) == {
        "cpu", "cores", "memory_bytes", "os", "python", "gpu",
    }  # fmt: skip


def test_a_cancel_keeps_what_is_done():
    cancel = Event()

    def stop(progress):
        if progress.done == 4:
            cancel.set()

    found = run_benchmarks(
        ("gaussian", "shift", "read"), (8,), 3, 0, progress=stop, cancel=cancel
    )
    assert [len(r.times_ms) for r in found.results] == [3, 1]
    assert [r.complete for r in found.results] == [True, False]
    assert not found.complete


def test_a_test_that_fails_is_a_row_and_the_others_go_on(monkeypatch):
    def fail(_volume):
        msg = "no room\nfor it"
        raise MemoryError(msg)

    monkeypatch.setitem(cases._ON_VOXELS, "gaussian", fail)
    found = run_benchmarks(("gaussian", "shift"), (8,), 2)
    assert [r.error for r in found.results] == ["no room for it", None]
    assert [r.complete for r in found.results] == [False, True]
    assert not found.complete


@pytest.mark.parametrize(
    "options",
    [
        {"tests": ("nope",)},
        {"tests": ()},
        {"sizes": (0,)},
        {"sizes": (1 << 20,)},
        {"sizes": ()},
        {"iterations": 0},
        {"warmup": -1},
    ],
)
def test_what_cannot_be_measured_is_refused_at_once(options):
    with pytest.raises(OptionError, match="expected"):
        run_benchmarks(**options)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 99, (3, 20, 30, 40), np.uint8)


def given(kind, image, folder):
    """The image as whatever may be measured on."""
    if kind == "array":
        return image[0]
    if kind == "dask":
        return da.from_array(image[0], chunks=16)
    path = folder / "a.zarr"
    zarr.create_array(path, data=image[0], chunks=(16, 16, 16))
    if kind == "address":
        return str(path)
    store = bf.open_store(path)
    if kind == "store":
        return store
    if kind == "storage":
        return type("Storage", (), {"store": store})()
    return type("Layer", (), {"data": image[0], "name": "a"})()


@pytest.mark.parametrize(
    "kind", ["array", "dask", "address", "store", "storage", "layer"]
)
def test_a_given_image_is_measured_in_its_middle(kind, image, tmp_path):
    found = run_benchmarks(
        ("shift", "read", "stream"), (24,), 1, 0, source=given(kind, image, tmp_path)
    )
    assert [r.error for r in found.results] == [None] * 3
    assert {r.size for r in found.results} == {(20, 24, 24)}
    assert {r.dtype for r in found.results} == {"uint8"}


def test_the_voxels_are_those_of_the_middle(image, tmp_path):
    subject = Subject(from_arrays(image, axes="czyx"), 10, tmp_path)
    np.testing.assert_array_equal(subject.volume, image[0, 5:15, 10:20, 15:25])
    whole = Subject(from_arrays(image, axes="czyx"), None, tmp_path)
    np.testing.assert_array_equal(whole.volume, image[0])


def test_all_of_a_large_image_is_the_level_that_is_small_enough(tmp_path, monkeypatch):
    monkeypatch.setattr("brickfield.benchmarks.subject.MOST_VOXELS", 2000)
    fine = np.zeros((20, 20, 20), np.uint8)
    levels = from_arrays([fine, fine[::2, ::2, ::2]])
    assert Subject(levels, None, tmp_path).volume.shape == (10, 10, 10)
    assert Subject(from_arrays(fine), None, tmp_path).volume.shape == (13, 13, 13)


def test_something_without_voxels_is_refused():
    with ExitStack() as opened, pytest.raises(OptionError, match="found object"):
        as_source(object(), opened)


def test_chunks_that_cannot_be_read_are_an_error_of_that_test(image, tmp_path):
    path = tmp_path / "a.zarr"
    zarr.create_array(path, data=image[0], chunks=(16, 16, 16))
    for chunk in itertools.islice((path / "c").rglob("[0-9]*"), 50):
        if chunk.is_file():
            chunk.write_bytes(b"torn")
    found = run_benchmarks(("read",), (16,), 1, 0, source=str(path))
    assert found.results[0].error
    assert not found.complete


def test_of_a_voxel_storage_the_first_channel_is_measured(tmp_path):
    class Storage:
        channel_ids = (7, 3)

        def __init__(self):
            self.volumes = {n: np.full((9, 10, 11), n, np.uint16) for n in (7, 3)}

        def channel(self, number):
            return self.volumes[number]

    with ExitStack() as opened:
        source = as_source(Storage(), opened)
        assert source.info.pyramid.levels[0].shape == (9, 10, 11)
        assert (source.read_storage_chunk(0, (0, 0, 0)).data == 7).all()
    Storage.channel_ids = ()
    with ExitStack() as opened, pytest.raises(OptionError, match="with a channel"):
        as_source(Storage(), opened)
