"""“Make this fast”, in a real napari window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import brickfield as bf
from brickfield.camera import navigation
from brickfield.plugin.docking.make_fast import target_for
from brickfield.plugin.layers.registry import docks_of
from brickfield.qt import task_board
from brickfield.sources import preview_level as synthesis
from brickfield.testing.zarr_stores import image_attributes, write_group, write_image

pytestmark = pytest.mark.napari


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=True, strict_qt="raise")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.integers(0, 200, (72, 96, 80), dtype=np.uint8)


@pytest.fixture
def slow(tmp_path, data, monkeypatch):
    """A file without a pyramid, taken for a large one."""
    monkeypatch.setattr(synthesis, "MIN_VOXELS", 100_000)
    path = tmp_path / "slow.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("volume", data=data, chunks=(32, 32, 32))
    return path


def ask(viewer, qtbot):
    """Press the button, and wait until it is told what it takes."""
    make_fast = docks_of(viewer)[0].make_fast
    make_fast.strip.button.click()
    panel = make_fast.panel
    qtbot.waitUntil(lambda: panel.start.isEnabled(), timeout=30_000)
    return panel


def test_only_data_without_a_pyramid_are_offered_one(viewer, slow, tmp_path):
    (layer,) = bf.open_volume(str(slow), viewer)
    strip = docks_of(viewer)[0].make_fast.strip
    assert strip.text.whole == "No pyramid: overviews are slow"
    assert not strip.isHidden()
    viewer.layers.remove(layer)
    assert strip.isHidden()


def test_size_time_and_room_are_told_before(viewer, slow, qtbot):
    bf.open_volume(str(slow), viewer)
    panel = ask(viewer, qtbot)
    assert panel.place.text() == str(slow.with_name("slow.ome.zarr"))
    qtbot.waitUntil(lambda: panel.words.text().count("·") == 2, timeout=30_000)
    size, time, room = panel.words.text().split(" · ")
    # 72 x 96 x 80 and 36 x 48 x 40 bytes.
    assert size == "at most 607.5 KiB"
    assert time.startswith(("under 1 s", "about "))
    assert room.startswith("free there ")


def test_the_layer_shows_the_pyramid_in_place(viewer, slow, data, qtbot):
    """Name, look, place and camera stay; the source is as it was."""
    (layer,) = bf.open_volume(str(slow), viewer)
    layer.name, layer.colormap, layer.gamma = "mine", "magma", 0.7
    layer.contrast_limits, layer.translate = (10, 150), (1, 2, 3)
    view = bf.view_of(viewer)
    qtbot.waitUntil(lambda: view.is_settled, timeout=30_000)
    view.navigate(lambda camera: navigation.orbit(camera, 30, 10))
    camera, before = view.camera, slow.read_bytes()
    ask(viewer, qtbot).start.click()
    target = slow.with_name("slow.ome.zarr")
    now = lambda: Path(str(bf.store_of(viewer.layers[0]).address))  # noqa: E731
    qtbot.waitUntil(lambda: now() == target, timeout=60_000)
    assert list(viewer.layers) == [layer]
    assert [level.shape for level in layer.data] == [(72, 96, 80), (36, 48, 40)]
    np.testing.assert_array_equal(np.asarray(layer.data[0]), data)
    assert (layer.name, layer.colormap.name, layer.gamma) == ("mine", "magma", 0.7)
    assert tuple(layer.contrast_limits) == (10, 150)
    assert tuple(layer.translate) == (1, 2, 3)
    assert layer.metadata["brickfield"]["uri"] == str(target)
    # The line above the status has gone, so the picture may be higher.
    assert replace(view.camera, viewport=camera.viewport) == camera
    assert slow.read_bytes() == before
    assert docks_of(viewer)[0].make_fast.strip.isHidden()
    qtbot.waitUntil(lambda: view.is_settled, timeout=30_000)
    assert view.report.image[..., :3].max() > 50


def test_labels_and_channels_become_fast_apart(viewer, tmp_path, qtbot, monkeypatch):
    """A label layer of one level cannot take levels, so another takes its place."""
    monkeypatch.setattr(synthesis, "MIN_VOXELS", 100_000)
    rng = np.random.default_rng(0)
    root = tmp_path / "i.zarr"
    channels = rng.integers(1, 99, (2, 72, 48, 40), dtype=np.uint8)
    write_image(root, [channels], image_attributes("czyx", [[1, 2, 1, 1]]))
    write_group(root / "labels", {"labels": ["cells"]})
    cells = rng.integers(0, 9, (72, 48, 40), dtype=np.uint16)
    look = image_attributes("zyx", [[2, 1, 1]]) | {"image-label": {}}
    write_image(root / "labels" / "cells", [cells], look)
    bf.open_volume(str(root), viewer)
    names = [layer.name for layer in viewer.layers]
    viewer.layers[-1].opacity = 0.3
    make_fast = docks_of(viewer)[0].make_fast
    for at, target in ((-1, "i-cells.ome.zarr"), (0, "i-pyramid.ome.zarr")):
        viewer.layers.selection.active = viewer.layers[at]
        panel = ask(viewer, qtbot)
        panel.place.setText(str(tmp_path / target))
        qtbot.waitUntil(lambda p=panel: p.start.isEnabled(), timeout=30_000)
        panel.start.click()
        qtbot.waitUntil(lambda: not make_fast.is_busy, timeout=60_000)
    assert [layer.name for layer in viewer.layers] == names
    assert viewer.layers[-1].opacity == 0.3
    assert all(layer.multiscale for layer in viewer.layers)
    shown = [np.asarray(layer.data[0]) for layer in viewer.layers]
    for found, expected in zip(shown, [*channels, cells], strict=True):
        np.testing.assert_array_equal(found, expected)
    files = [Path(str(bf.store_of(layer).address)).name for layer in viewer.layers]
    assert files == ["i-pyramid.ome.zarr"] * 2 + ["i-cells.ome.zarr"]


def test_what_was_cancelled_changes_nothing_and_is_offered_again(
    viewer, slow, qtbot, monkeypatch
):
    (layer,) = bf.open_volume(str(slow), viewer)
    levels = layer.data
    make_fast = docks_of(viewer)[0].make_fast
    begin = task_board().begin

    def begin_cancelled(*args, **options):
        running = begin(*args, **options)
        running.cancel()
        return running

    monkeypatch.setattr(task_board(), "begin", begin_cancelled)
    ask(viewer, qtbot).start.click()
    assert make_fast.strip.isHidden()
    qtbot.waitUntil(lambda: not make_fast.strip.isHidden(), timeout=60_000)
    assert layer.data is levels
    assert docks_of(viewer)[0].status.text.whole.startswith("Stopped: nothing changes")
    monkeypatch.undo()


def test_a_target_that_is_taken_is_refused_before_the_button(viewer, slow, qtbot):
    taken = slow.with_name("taken")
    taken.mkdir()
    (taken / "file").touch()
    bf.open_volume(str(slow), viewer)
    panel = ask(viewer, qtbot)
    panel.place.setText(str(taken))
    assert not panel.start.isEnabled()
    qtbot.waitUntil(lambda: "name another" in panel.words.text(), timeout=30_000)
    assert not panel.start.isEnabled()


@pytest.mark.parametrize(
    ("address", "opened", "target"),
    [
        ("/data/stack.h5", "", "/data/stack.ome.zarr"),
        ("/data/stack.h5", "/raw/a", "/data/stack-raw-a.ome.zarr"),
        ("/data/p.ome.zarr", "A/1", "/data/p-A-1.ome.zarr"),
        ("/data/p.ome.zarr", "", "/data/p-pyramid.ome.zarr"),
        ("https://host/a/x.zarr", "", str(Path.home() / "x.ome.zarr")),
    ],
)
def test_the_place_that_is_offered_is_beside_the_source(address, opened, target):
    name = address.rpartition("/")[2]
    assert target_for(address, name, opened) == target
