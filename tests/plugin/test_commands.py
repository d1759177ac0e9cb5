"""Menu entries, samples and drops, as a person meets them."""

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from brickfield.plugin import commands, sample
from brickfield.plugin.docking import open_dock as docking
from brickfield.plugin.layers.make import store_behind
from brickfield.plugin.names import PLUGIN
from brickfield.plugin.slicing import lazy
from brickfield.testing.zarr_stores import ramp, write_image

DATA = ramp((8, 16, 32))


@pytest.fixture
def image(tmp_path):
    return write_image(tmp_path / "a.ome.zarr", [DATA])


@pytest.fixture
def preferences():
    from napari.settings import get_settings

    plugins = get_settings().plugins
    before = plugins.extension2reader
    yield plugins
    plugins.extension2reader = before


def drop(viewer, path):
    """Drop a path on napari's window, through Qt."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    viewer.window._qt_viewer.dropEvent(event)


def test_after_the_command_a_dropped_folder_opens_here(
    image, preferences, make_napari_viewer
):
    commands.open_zarr_by_default()
    viewer = make_napari_viewer()
    drop(viewer, image)
    (layer,) = viewer.layers
    assert layer.source.reader_plugin == PLUGIN
    assert lazy.wait_until_loaded(layer, 20)
    assert np.array_equal(layer._slice.image.raw, DATA[round(viewer.dims.point[0])])


def test_the_command_leaves_other_preferences_alone(preferences):
    preferences.extension2reader = {"*.tif": "another"}
    commands.open_zarr_by_default()
    assert preferences.extension2reader == {
        "*.tif": "another",
        "*.zarr/": PLUGIN,
        "http*://*.zarr*": PLUGIN,
    }


def test_without_the_command_nothing_is_preferred(
    preferences, image, make_napari_viewer
):
    viewer = make_napari_viewer()
    viewer.open(str(image), plugin=PLUGIN)
    assert PLUGIN not in preferences.extension2reader.values()


def test_commands_get_the_viewer_from_napari(make_napari_viewer, monkeypatch):
    from app_model.types import Action
    from napari._app_model import get_app_model

    asked = []
    monkeypatch.setattr(docking, "open_dock", lambda viewer: asked.append(viewer))
    viewer = make_napari_viewer()
    app = get_app_model()
    # As napari registers a plugin's command.
    action = Action(id="test-show", title="x", callback=commands.show_volume_view)
    dispose = app.register_action(action)
    app.commands.execute_command("test-show").result()
    dispose()
    assert len(asked) == 1
    assert getattr(asked[0], "__wrapped__", asked[0]) is viewer


def test_failed_chunks_are_read_again_by_a_command(image, make_napari_viewer):
    viewer = make_napari_viewer()
    chunk = next(p for p in sorted((image / "0" / "0").rglob("*")) if p.is_file())
    good = chunk.read_bytes()
    chunk.write_bytes(b"spoilt")
    (layer,) = viewer.open(str(image), plugin=PLUGIN)
    viewer.dims.set_current_step(0, 0)
    assert lazy.wait_until_loaded(layer, 20)
    assert lazy.failures_of(layer)
    chunk.write_bytes(good)
    commands.retry_failed_chunks(viewer.layers)
    assert lazy.wait_until_loaded(layer, 20)
    assert not lazy.failures_of(layer)
    assert np.array_equal(layer._slice.image.raw, DATA[0])


def test_an_address_is_asked_for_and_opened(image, make_napari_viewer, monkeypatch):
    from qtpy.QtWidgets import QInputDialog

    viewer = make_napari_viewer()
    answers = [("", False), (f" {image} ", True)]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: answers.pop(0))
    commands.open_url(viewer)
    assert not len(viewer.layers)
    commands.open_url(viewer)
    assert len(viewer.layers) == 1


# -- samples ----------------------------------------------------------------------


def test_the_huge_sample_is_ten_terabytes_and_shown_at_once(make_napari_viewer):
    viewer = make_napari_viewer()
    (layer,) = viewer.open_sample(PLUGIN, "huge")
    assert layer.data[0].nbytes > 10e12
    assert lazy.wait_until_loaded(layer, 20)
    source = store_behind(layer).source
    level = layer.data_level
    z = layer._slice_input.world_slice.point[0] / layer.downsample_factors[level][0]
    (_, y0, x0), (_, y1, x1) = layer.corner_pixels
    expected = source.voxels(level, (round(z), y0, x0), (1, y1 - y0 + 1, x1 - x0 + 1))
    assert np.array_equal(layer._slice.image.raw, expected[0])


def test_the_organoid_is_written_once_and_opened(tmp_path, monkeypatch):
    from brickfield.sample import Grid
    from brickfield.sample import store as stored

    write = stored.write_sample
    small = Grid((16, 32, 32), (0.5, 0.25, 0.25))
    calls = []

    def write_small(path, **options):
        calls.append(path)
        write(path, small, **options)

    monkeypatch.setattr(stored, "write_sample", write_small)
    monkeypatch.setattr(sample, "cache_folder", lambda: tmp_path / "cache")
    names = [about["name"] for _, about, _ in sample.organoid()]
    assert names == ["sample: nuclei", "sample: vessels"]
    sample.organoid()
    assert len(calls) == 1


def test_samples_are_kept_in_the_users_cache():
    assert sample.cache_folder().name == PLUGIN
    assert sample.cache_folder().is_absolute()
