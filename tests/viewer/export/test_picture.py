"""Pictures without a window are drawn beside live views, from any thread."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import OptionError
from brickfield.loading import ChunkCache, default_cache
from brickfield.rendering import render_thread
from brickfield.rendering.thread import NAME
from brickfield.sources import with_coarse_level
from brickfield.store import ChunkedImageStore, open_store
from brickfield.testing import MemorySource
from brickfield.testing.zarr_stores import image_attributes, write_image
from brickfield.viewer.export.picture import render
from brickfield.viewer.live.live_view import LiveView

LOOK = {"size": (48, 40), "camera": "ortho:z", "contrast": (0, 255)}


@pytest.fixture
def source(adapter) -> MemorySource:
    data = np.random.default_rng(0).integers(0, 255, (32, 40, 48), np.uint8)
    return MemorySource([data], (16, 20, 24), chunk=(16, 20, 24))


@pytest.fixture
def store(source):
    with ChunkedImageStore(source) as store:
        yield store


@pytest.fixture
def shared_view(memory_scene, turns, box):
    """A view on the process's render thread, shown and complete."""
    memory_scene.add(box)
    view = LiveView("3D", memory_scene, turns)
    view.resize((80, 60))
    view.is_shown = True
    assert turns.run_until(lambda: view.is_settled)
    yield view
    view.close().result(20)


def test_a_level_alone_is_read_once_for_its_contrast_and_its_picture(adapter):
    """Also where it does not fit the RAM budget; the contrast is what it is without."""
    data = np.random.default_rng(0).integers(0, 200, (128, 256, 272), np.uint8)
    data[:, :64] //= 8
    source = MemorySource([data], (64, 64, 64))
    look = {"size": (64, 64), "camera": "ortho:z", "level": 0}
    cache = ChunkCache(data.nbytes // 2)
    with ChunkedImageStore(with_coarse_level(source), cache=cache) as store:
        result = render(store, **look)
        window = store.estimate_contrast()
    assert result.receipt.complete
    # Chunks are dropped for lack of room where compiling takes many seconds.
    assert sum(source.reads.values()) <= 1.05 * len(source.reads)
    again = with_coarse_level(MemorySource([data], (64, 64, 64)))
    with ChunkedImageStore(again) as store:
        assert store.estimate_contrast() == window
        plain = render(store, contrast=window, **look).image
    assert np.abs(result.image.astype(int) - plain).max() <= 1


def test_what_stalls_is_told_when_the_time_is_over_and_costs_no_other_voxel(adapter):
    """With the coarser level in its place; the next picture waits for it again."""
    fine = np.random.default_rng(0).integers(1, 255, (32, 32, 32), np.uint8)
    coarse = fine[::2, ::2, ::2].copy()
    source = MemorySource([fine, coarse], (8, 8, 8), chunk=(16, 16, 16))
    source.stall(0, (1, 1, 1))
    look = LOOK | {"size": (32, 32), "level": 0}
    with (
        ChunkedImageStore(source, cache=ChunkCache(1 << 20)) as store,
        contextlib.closing(SimpleNamespace(close=source.heal)),  # or closing waits
    ):
        result = render(store, timeout=3.0, **look)
        expected = fine.copy()
        expected[8:16, 8:16, 8:16] = (
            coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)[8:16, 8:16, 8:16]
        )
        np.testing.assert_array_equal(result.image[..., 0], expected.max(axis=0))
        assert not result.receipt.complete
        assert result.receipt.chunks["failed"] == 1
        (failure,) = result.receipt.failures
        assert failure["key"] == "0/c/1/1/1"
        assert "3 s of the picture were over" in failure["reason"]
        source.heal()
        result = render(store, timeout=30.0, **look)
        np.testing.assert_array_equal(result.image[..., 0], fine.max(axis=0))
        assert result.receipt.complete


def test_pictures_from_several_threads_are_right_beside_a_live_view(
    store, shared_view, turns
):
    alone = store.read(0).max(axis=0)
    with ThreadPoolExecutor(3) as pool:
        drawn = [pool.submit(render, store, **LOOK) for _ in range(3)]
        shared_view.quality = 2.0
        assert turns.run_until(lambda: all(d.done() for d in drawn))
        assert turns.run_until(lambda: shared_view.is_settled)
    here = render(store, **LOOK)
    for result in (here, *(d.result(0) for d in drawn)):
        np.testing.assert_array_equal(result.image[..., 0], alone)


def test_a_picture_that_waits_for_data_lets_live_views_draw(
    source, store, shared_view, turns
):
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        drawn = pool.submit(render, store, **LOOK)
        assert source.wait_until_reading(1)
        shared_view.background = (1.0, 0.0, 0.0)
        assert turns.run_until(lambda: shared_view.is_settled)
        assert not drawn.done()
        source.gate.set()
        assert drawn.result(20).receipt.complete


def test_budgets_of_pictures_made_at_once_leave_the_usual_one(store, shared_view):
    usual = default_cache().budget_bytes
    budgets = ["64 MiB", "96 MiB", "128 MiB"]
    with ThreadPoolExecutor(3) as pool:
        results = pool.map(lambda b: render(store, ram_budget=b, **LOOK), budgets)
        found = [result.receipt.ram_budget for result in results]
    assert found == [64 << 20, 96 << 20, 128 << 20]
    assert default_cache().budget_bytes == usual


def test_without_live_views_no_thread_is_left(store):
    render(store, **LOOK)
    assert not render_thread().is_alive
    assert NAME not in {t.name for t in threading.enumerate()}


@pytest.mark.parametrize("kind", [str, Path])
def test_a_picture_of_a_path_is_that_of_its_store(adapter, tmp_path, kind):
    data = np.random.default_rng(1).integers(0, 255, (8, 40, 48), np.uint8)
    folder = write_image(tmp_path / "a.zarr", [data], image_attributes())
    drawn = bf.render(kind(folder), **LOOK)
    np.testing.assert_array_equal(drawn.image[..., 0], data.max(axis=0))


def test_a_store_opened_for_one_picture_is_closed_again(adapter, tmp_path, monkeypatch):
    data = np.zeros((8, 40, 48), np.uint8)
    folder = write_image(tmp_path / "a.zarr", [data], image_attributes())
    opened = []

    def open_and_keep(uri):
        opened.append(open_store(uri))
        return opened[0]

    monkeypatch.setattr("brickfield.viewer.export.picture.open_store", open_and_keep)
    with pytest.raises(OptionError, match="a level from 0"):
        render(folder, level=9, **LOOK)
    assert opened[0].is_closed


def test_a_picture_of_what_is_no_store_is_refused_in_a_sentence():
    with pytest.raises(OptionError, match="a path or a URL to draw; found list"):
        render([1, 2, 3])


LOSE = """
import sys, numpy as np, brickfield as bf
import brickfield.viewer.export.picture as controller
from brickfield.gpu.device import get_device

def lose(*_):
    get_device().device.destroy()
    return is_lost_during and draw(*_)

draw, is_lost_during = controller._draw, sys.argv[1] == "during"
if is_lost_during:
    controller._draw = lose
else:
    lose()
store = bf.open_store(np.zeros((4, 4, 4), np.uint8))
for _ in range(2):
    try:
        bf.render(store, size=(8, 8))
    except bf.errors.DeviceError as error:
        print(error)
"""


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_device_lost_before_or_during_a_picture_is_told_in_a_sentence(adapter, when):
    done = subprocess.run(
        [sys.executable, "-c", LOSE, when],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    sentences = done.stdout.splitlines()
    assert len(sentences) == 2
    assert all("graphics device; found that it was lost" in s for s in sentences)
    assert "Traceback" not in done.stderr


def test_a_closed_store_is_refused_at_once():
    store = open_store(np.zeros((4, 4, 4), np.uint8))
    store.close()
    with pytest.raises(OptionError, match="found a closed one"):
        render(store)
