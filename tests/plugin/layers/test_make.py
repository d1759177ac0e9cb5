"""Layers as napari shows them, from stores on disk."""

import gc
import threading
import weakref

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels, Layer
from npe2 import PluginManager
from qtpy.QtCore import QCoreApplication

from brickfield.errors import BrickfieldError, OptionError, StoreNotFoundError
from brickfield.plugin.layers import auto_contrast as contrasts
from brickfield.plugin.layers import make
from brickfield.plugin.layers.describe import layer_data_of
from brickfield.plugin.layers.make import (
    channel_of,
    level_of,
    open_layers,
    selection_of,
    store_behind,
)
from brickfield.plugin.layers.notifications import what_is_shown
from brickfield.plugin.slicing import lazy
from brickfield.store import ChunkedImageStore, open_store
from brickfield.testing import MemorySource
from brickfield.testing.zarr_stores import (
    image_attributes,
    ramp,
    write_group,
    write_image,
    write_plate,
)

SCALES = [[1, 1, 2, 0.5, 0.25], [1, 1, 2, 1, 0.5]]


@pytest.fixture
def shown(monkeypatch):
    """What was said in notifications."""
    from napari.utils import notifications

    said = []
    for name in ("show_info", "show_warning"):
        monkeypatch.setattr(notifications, name, said.append)
    return said


def write_channels(folder, data, **omero):
    attributes = image_attributes("tczyx", SCALES, **omero)
    axes = attributes["multiscales"][0]["axes"]
    for axis, unit in zip(axes, ["second", None, *["micrometer"] * 3], strict=True):
        if unit:
            axis["unit"] = unit
    return write_image(folder, [data, data[..., ::2, ::2]], attributes)


@pytest.fixture
def data():
    return ramp((2, 3, 6, 16, 32))


def channel(label, color=None, window=None, active=True):
    about = {"label": label, "active": active}
    if color:
        about["color"] = color
    if window:
        about["window"] = {"start": window[0], "end": window[1], "min": 0, "max": 9999}
    return about


# -- what a layer looks like ------------------------------------------------------


def test_every_channel_gets_a_layer_that_lies_where_the_image_lies(tmp_path, data):
    layers = open_layers(write_channels(tmp_path / "a.ome.zarr", data))
    assert [type(layer) for layer in layers] == [Image] * 3
    for i, layer in enumerate(layers):
        assert layer.multiscale
        assert layer.axis_labels == ("t", "z", "y", "x")
        assert layer.scale.tolist() == [1, 2, 0.5, 0.25]
        assert [str(u) for u in layer.units] == ["second", *["micrometer"] * 3]
        assert channel_of(layer) == i
        assert np.array_equal(np.asarray(layer.data[0]), data[:, i])
        assert np.array_equal(np.asarray(layer.data[1]), data[:, i, ..., ::2, ::2])


def test_names_colours_and_contrast_are_the_stores(tmp_path, data):
    omero = {
        "channels": [
            channel("nuclei", "00FF00", (5, 50)),
            channel("membrane", "FF8000", (1, 9), active=False),
            channel("third", "0000FF", (2, 8)),
        ]
    }
    layers = open_layers(write_channels(tmp_path / "a.ome.zarr", data, omero=omero))
    assert [layer.name for layer in layers] == [
        "image: nuclei",
        "image: membrane",
        "image: third",
    ]
    assert [layer.contrast_limits for layer in layers] == [[5, 50], [1, 9], [2, 8]]
    ends = [layer.colormap.map(np.ones(1))[0, :3].tolist() for layer in layers]
    assert np.allclose(ends, [[0, 1, 0], [1, 128 / 255, 0], [0, 0, 1]], atol=1e-3)
    assert [layer.visible for layer in layers] == [True, False, True]
    assert {layer.blending for layer in layers} == {"additive"}


def test_without_colours_channels_get_ones_that_most_people_tell_apart(tmp_path, data):
    layers = open_layers(write_channels(tmp_path / "a.ome.zarr", data))
    ends = [layer.colormap.map(np.ones(1))[0, :3] * 255 for layer in layers]
    assert np.allclose(ends[:2], [(0, 158, 115), (213, 94, 0)], atol=1)


def test_a_single_channel_is_gray_and_opaque(tmp_path):
    (layer,) = open_layers(write_image(tmp_path / "a.ome.zarr", [ramp((8, 8, 8))]))
    assert layer.name == "image"
    assert layer.colormap.name == "gray"
    assert layer.blending == "translucent"


def test_contrast_comes_from_the_coarsest_level_alone():
    fine = np.full((32, 32, 32), 60_000, "u2")
    coarse = np.arange(16**3, dtype="u2").reshape((16,) * 3)
    source = MemorySource([fine, coarse], (16, 16, 16), chunk=(16, 16, 16))
    with ChunkedImageStore(source) as store:
        (data,) = layer_data_of(store)
        low, high = data[1]["contrast_limits"]
        assert (low, high) == pytest.approx((4, 4091), abs=1)
        assert {level for level, _ in source.reads} == {1}


@pytest.mark.parametrize("is_written", [True, False])
def test_contrast_is_that_of_what_is_shown_first_unless_nothing_is_there(
    tmp_path, is_written
):
    data = np.zeros((5, 1, 4, 8, 8), "u2")
    data[0] = ramp((4, 8, 8))
    if is_written:
        data[2] = 300 + ramp((4, 8, 8))
    (layer,) = open_layers(write_channels(tmp_path / "a.ome.zarr", data))
    start, coarse = (300 if is_written else 0), ramp((4, 8, 8))[:, ::2, ::2]
    ends = [start + int(coarse.min()), start + int(coarse.max())]
    assert layer.contrast_limits == pytest.approx(ends, abs=8)


def test_three_voxels_along_x_are_no_colours(tmp_path):
    (layer,) = open_layers(write_image(tmp_path / "a.ome.zarr", [ramp((8, 8, 3))]))
    assert layer.ndim == 3
    assert not layer.rgb


def test_an_image_without_z_has_two_axes(tmp_path):
    image = write_image(tmp_path / "a.ome.zarr", [ramp((40, 50))])
    (layer,) = open_layers(image)
    assert layer.ndim == 2
    assert np.array_equal(np.asarray(layer.data[0]), ramp((40, 50)))


def test_many_channels_become_a_slider():
    source = MemorySource([ramp((20, 4, 8, 8))], (1, 4, 8, 8), axes="czyx")
    with ChunkedImageStore(source) as store:
        (data,) = layer_data_of(store)
        layer = Layer.create(*data)
        assert layer.axis_labels == ("c", "z", "y", "x")
        assert channel_of(layer) is None
        assert selection_of(layer, (7, 0, 0, 0)) == (7,)


def test_arrays_stored_x_first_are_shown_z_first(tmp_path):
    data = ramp((8, 12, 16))
    attributes = image_attributes("xyz", [[1, 2, 3]])
    (layer,) = open_layers(write_image(tmp_path / "a.ome.zarr", [data], attributes))
    assert layer.axis_labels == ("z", "y", "x")
    assert layer.scale.tolist() == [3, 2, 1]
    assert np.array_equal(np.asarray(layer.data[0]), data.T)


@pytest.mark.parametrize("unit", ["quux", "", "!!", "1/0"])
def test_a_unit_that_nobody_knows_is_a_pixel(tmp_path, unit):
    attributes = image_attributes("zyx", [[1, 1, 1]])
    for axis in attributes["multiscales"][0]["axes"]:
        axis["unit"] = unit
    (layer,) = open_layers(
        write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))], attributes)
    )
    assert {str(u) for u in layer.units} == {"pixel"}


def test_nan_is_shown_as_nan(tmp_path):
    data = ramp((8, 8, 8), "f4")
    data[4] = np.nan
    (layer,) = open_layers(write_image(tmp_path / "a.ome.zarr", [data]))
    assert np.isfinite(layer.contrast_limits).all()
    assert np.array_equal(np.asarray(layer.data[0]), data, equal_nan=True)


# -- labels -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["u4", "i2", "bool"])
def test_labels_become_a_labels_layer(kind):
    source = MemorySource([ramp((8, 8, 8), kind)], (8, 8, 8))
    from dataclasses import replace

    source.info = replace(source.info, is_labels=True)
    with ChunkedImageStore(source) as store:
        (data,) = layer_data_of(store)
        layer = Layer.create(*data)
        assert isinstance(layer, Labels)
        expected = ramp((8, 8, 8), kind).astype("u1" if kind == "bool" else kind)
        assert np.array_equal(np.asarray(level_of(layer)), expected)


def test_labels_with_a_pyramid_keep_it_and_cannot_be_painted():
    from dataclasses import replace

    levels = [ramp((8, 8, 8), "u2"), ramp((4, 4, 4), "u2")]
    source = MemorySource(levels, (8, 8, 8))
    source.info = replace(source.info, is_labels=True)
    with ChunkedImageStore(source) as store:
        layer = Layer.create(*layer_data_of(store)[0])
        assert [tuple(s) for s in layer.level_shapes] == [(8, 8, 8), (4, 4, 4)]
        assert not layer.editable
        assert store_behind(layer) is store


def test_painting_on_stored_labels_is_refused_in_a_sentence():
    from dataclasses import replace

    source = MemorySource([ramp((8, 8, 8), "u2")], (8, 8, 8))
    source.info = replace(source.info, is_labels=True)
    with ChunkedImageStore(source) as store:
        layer = Layer.create(*layer_data_of(store)[0])
        with pytest.raises(TypeError, match="only read"):
            layer.paint((4, 4, 4), 1)


def test_label_images_beside_an_image_are_opened_with_it(tmp_path):
    image = write_image(tmp_path / "a.ome.zarr", [ramp((8, 16, 16))])
    (image / "labels").mkdir()
    (image / "labels" / ".zgroup").write_text('{"zarr_format": 2}')
    (image / "labels" / ".zattrs").write_text('{"labels": ["cells", "gone"]}')
    cells = np.arange(8 * 16 * 16, dtype="u4").reshape(8, 16, 16)
    attributes = image_attributes(
        "zyx", [[1, 1, 1]], **{"image-label": {"version": "0.4"}}
    )
    write_image(image / "labels" / "cells", [cells], attributes)
    layers = open_layers(image)
    assert [type(layer) for layer in layers] == [Image, Labels]
    assert np.array_equal(np.asarray(layers[1].data), cells)


# -- more than one image, and odd ones --------------------------------------------


def write_series(root):
    for i in range(3):
        write_image(root / str(i), [ramp((4, 8, 8), seed=i)])
    write_group(root, {"bioformats2raw.layout": 3})
    return root


def carry_out():
    """Carry out what waits for the event loop, where another test has made one."""
    if QCoreApplication.instance() is not None:
        QCoreApplication.processEvents()


def test_a_store_of_several_images_says_what_it_holds_and_what_is_shown(
    tmp_path, shown
):
    """A person is told in words, without code to type."""
    root = write_series(tmp_path / "several.zarr")
    (layer,) = open_layers(root)
    assert np.array_equal(np.asarray(layer.data[0]), ramp((4, 8, 8), seed=0))
    carry_out()
    (said,) = [text for text in shown if "3 images in this file: 0 is shown" in text]
    assert not set("()=`") & set(said)
    shown.clear()
    (layer,) = open_layers(root, series="1")
    assert np.array_equal(np.asarray(layer.data[0]), ramp((4, 8, 8), seed=1))
    assert not shown


def test_a_plate_says_which_field_is_shown(tmp_path, shown):
    (layer,) = open_layers(write_plate(tmp_path / "p.zarr"))
    assert layer.name == "A/1/0"
    carry_out()
    assert any("Plate of 2 wells: A/1/0 is shown" in text for text in shown)


def test_several_images_give_several_layers_under_their_names(tmp_path, shown):
    root = write_plate(tmp_path / "p.zarr")
    layers = open_layers(root, image=["B/02/1", "A/1/0"])
    assert [layer.name for layer in layers] == ["B/02/1", "A/1/0"]
    assert [int(np.asarray(layer.data[0]).max()) for layer in layers] == [12, 1]
    assert not shown
    (series,) = open_layers(write_series(tmp_path / "several.zarr"), image="2")
    assert series.name == "2"
    assert np.array_equal(np.asarray(series.data[0]), ramp((4, 8, 8), seed=2))


def test_a_layer_of_a_named_image_opens_again_from_a_scene(tmp_path):
    """Its origin is in the words that scenes know."""
    (layer,) = open_layers(write_plate(tmp_path / "p.zarr"), image="B/02/1")
    options = layer.metadata["brickfield"]["options"]
    assert options == {"well": "B/02", "field": "1"}


def test_what_is_not_there_is_said_in_one_sentence(tmp_path):
    with pytest.raises(StoreNotFoundError, match="expected a file or folder at"):
        open_layers(tmp_path / "nothing.zarr")


def test_a_broken_store_is_said_in_one_sentence(tmp_path):
    (tmp_path / "b.zarr").mkdir()
    (tmp_path / "b.zarr" / ".zattrs").write_text("{")
    with pytest.raises(BrickfieldError) as caught:
        open_layers(tmp_path / "b.zarr")
    assert "\n" not in str(caught.value)


# -- contrast that takes its time -------------------------------------------------


def test_contrast_that_comes_late_is_set_then(make_napari_viewer, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr(contrasts, "BRIEFLY_S", 0.0)
    data = np.arange(4096, dtype="u2").reshape((16,) * 3)
    source = MemorySource([data], (16, 16, 16), chunk=(16, 16, 16))
    source.gate.clear()
    with ChunkedImageStore(source) as store:
        layer = viewer.add_layer(Layer.create(*layer_data_of(store)[0]))
        touched = viewer.add_layer(Layer.create(*layer_data_of(store)[0]))
        assert layer.contrast_limits == [0, 65535]
        touched.contrast_limits = (7, 70)
        source.gate.set()
        wait_for(lambda: layer.contrast_limits != [0, 65535])
        assert layer.contrast_limits == pytest.approx([4, 4091], abs=1)
        assert touched.contrast_limits == [7, 70]


def test_a_mode_that_comes_late_is_set_then_unless_somebody_chose(
    make_napari_viewer, monkeypatch
):
    """Voxels that fill their box: known only once the storage answers."""
    viewer = make_napari_viewer()
    monkeypatch.setattr(contrasts, "BRIEFLY_S", 0.0)
    data = np.arange(4096, dtype="u2").reshape((16,) * 3)
    source = MemorySource([data], (16, 16, 16), chunk=(16, 16, 16))
    source.gate.clear()
    with ChunkedImageStore(source) as store:
        layer = viewer.add_layer(Layer.create(*layer_data_of(store)[0]))
        chosen = viewer.add_layer(Layer.create(*layer_data_of(store)[0]))
        assert layer.rendering == "mip"
        chosen.rendering = "average"
        source.gate.set()
        wait_for(lambda: layer.rendering == "translucent")
        assert chosen.rendering == "average"
        layer.rendering = "mip"
        viewer.dims.set_current_step(0, 3)
        assert layer.rendering == "mip"


def wait_for(is_true, timeout_s=10):
    from time import monotonic

    from qtpy.QtTest import QTest

    end = monotonic() + timeout_s
    while not is_true():
        assert monotonic() < end, "it did not come to pass"
        QTest.qWait(10)


# -- from a layer back ------------------------------------------------------------


def test_the_store_of_a_layer_is_found_from_its_data(tmp_path, data):
    layer = open_layers(write_channels(tmp_path / "a.ome.zarr", data))[1]
    store = store_behind(layer)
    assert store.info.uri.endswith("a.ome.zarr")
    assert selection_of(layer, (1.0, 3, 4, 5)) == (1, 1)
    layer.metadata.clear()
    layer.name = "another"
    assert store_behind(layer) is store


def test_a_layer_that_is_not_ours_has_no_store():
    layer = Image(np.zeros((4, 4)))
    assert store_behind(layer) is None
    assert level_of(layer) is None
    assert channel_of(layer) is None
    assert selection_of(layer, (0, 0)) == ()


def test_a_level_taken_out_of_a_layer_does_not_pass_for_it(tmp_path, data):
    layer = open_layers(write_channels(tmp_path / "a.ome.zarr", data))[0]
    assert store_behind(Image(layer.data[1])) is None
    assert store_behind(Image(layer.data[0][0])) is store_behind(layer)


# -- what napari does with layers -------------------------------------------------


def test_a_duplicate_is_alike(tmp_path, data):
    layer = open_layers(write_channels(tmp_path / "a.ome.zarr", data))[2]
    layer.contrast_limits = (3, 33)
    twin = Layer.create(*layer.as_layer_data_tuple())
    assert store_behind(twin) is store_behind(layer)
    assert channel_of(twin) == 2
    assert twin.contrast_limits == [3, 33]
    assert twin.metadata == layer.metadata
    assert np.array_equal(np.asarray(twin.data[0]), data[:, 2])


def test_layers_can_be_linked(tmp_path, data):
    from napari.layers.utils._link_layers import link_layers

    one, two, _ = open_layers(write_channels(tmp_path / "a.ome.zarr", data))
    link_layers([one, two], ("gamma", "contrast_limits"))
    one.gamma = 0.5
    assert two.gamma == 0.5


def test_a_layer_is_saved_as_tiff_whole(tmp_path, data):
    layer = open_layers(write_channels(tmp_path / "a.ome.zarr", data))[1]
    (path,) = layer.save(str(tmp_path / "b.tif"))
    assert np.array_equal(tifffile.imread(path), data[:, 1])


def test_what_does_not_fit_is_saved_as_tiff_coarser_and_said(
    tmp_path, data, shown, monkeypatch
):
    layer = open_layers(write_channels(tmp_path / "a.ome.zarr", data))[1]
    room = 4 * layer.data[1].nbytes
    monkeypatch.setattr("brickfield.plugin.layers.levels.available_bytes", lambda: room)
    (path,) = layer.save(str(tmp_path / "b.tif"))
    assert np.array_equal(tifffile.imread(path), data[:, 1, ..., ::2, ::2])
    assert "level 1" in shown[-1]


def test_a_layer_is_saved_as_a_pyramid(tmp_path, data):
    layer = open_layers(write_channels(tmp_path / "a.ome.zarr", data))[1]
    (path,) = layer.save(str(tmp_path / "b.ome.zarr"))
    with open_store(path) as store:
        assert [axis.name for axis in store.axes] == ["t", "z", "y", "x"]
        assert [axis.unit for axis in store.axes] == ["second", *["micrometer"] * 3]
        assert store.pyramid.levels[0].voxel_size == (1, 2, 0.5, 0.25)
        assert np.array_equal(store.read(0, selection=(1,)), data[1, 1])


def test_labels_of_napari_are_saved_as_a_pyramid_too(tmp_path):
    PluginManager.instance().discover()  # as a viewer does, which may not have been made
    data = np.arange(24 * 70 * 80, dtype="i4").reshape(24, 70, 80)
    layer = Labels(data, scale=(3, 1, 1))
    (path,) = layer.save(str(tmp_path / "b.ome.zarr"))
    with open_store(path) as store:
        assert np.array_equal(store.read(0), data)
        assert store.pyramid.levels[0].voxel_size == (3, 1, 1)


def test_saving_never_writes_over_a_folder(tmp_path, data):
    image = write_channels(tmp_path / "a.ome.zarr", data)
    layer = open_layers(image)[0]
    with pytest.raises(BrickfieldError, match="choose another name"):
        layer.save(str(image))
    assert np.array_equal(np.asarray(layer.data[0]), data[:, 0])


# -- the end ----------------------------------------------------------------------


@pytest.mark.bindings
def test_a_store_is_closed_when_its_last_layer_is_gone(
    tmp_path, data, make_napari_viewer
):
    viewer = make_napari_viewer()
    n_threads = threading.active_count()
    layers = viewer.open(
        str(write_channels(tmp_path / "a.ome.zarr", data)), plugin="napari-brickfield"
    )
    assert lazy.wait_until_loaded(layers, 20)
    store = store_behind(layers[0])
    source, gone = store.source, weakref.ref(store)
    closed = []
    source.close = lambda: closed.append(True)
    del store
    layers.clear()
    viewer.layers.clear()

    def is_over():
        gc.collect()
        return closed and threading.active_count() <= n_threads

    wait_for(is_over)
    assert gone() is None


def test_a_script_that_holds_the_store_keeps_it_open(tmp_path, data):
    layers = open_layers(write_channels(tmp_path / "a.ome.zarr", data))
    store = store_behind(layers[0])
    del layers
    gc.collect()
    assert np.array_equal(store.read(0), data[0, 0])


def test_solid_data_begin_translucent_and_sparse_data_as_a_maximum(tmp_path):
    rng = np.random.default_rng(1)
    solid = rng.integers(100, 250, (16, 32, 32), dtype=np.uint8)
    sparse = np.where(rng.random(solid.shape) < 0.05, solid, 0).astype(np.uint8)
    (one,), (two,) = (
        open_layers(str(write_image(tmp_path / name, [data])))
        for name, data in (("solid.zarr", solid), ("sparse.zarr", sparse))
    )
    assert one.rendering == "translucent"
    assert two.rendering == "mip"


@pytest.mark.parametrize(
    ("window", "dtype", "room"),
    [
        ((100, 300), "u2", (0, 500)),
        ((100, 300), "u1", (0, 255)),
        ((-100, 100), "i2", (-200, 300)),
        ((0.25, 0.5), "f4", (0, 0.75)),
    ],
)
def test_sliders_of_contrast_can_be_moved_both_ways(window, dtype, room):
    found = contrasts.room_around(window, np.dtype(dtype))
    assert found == pytest.approx(room)


def test_a_shown_layer_has_room_for_its_contrast(tmp_path, data, make_napari_viewer):
    viewer = make_napari_viewer()
    path = write_channels(tmp_path / "a.ome.zarr", data)
    layer = viewer.open(str(path), plugin="napari-brickfield")[0]
    limits = list(layer.contrast_limits)
    wait_for(lambda: layer.contrast_limits_range[1] > limits[1])
    assert layer.contrast_limits == limits


def test_a_flat_time_lapse_follows_its_slider_in_the_volume_view():
    from napari.components import ViewerModel

    from brickfield.plugin.layers.scene_adapter import NapariScene

    source = MemorySource([ramp((5, 40, 50))], (1, 20, 20), axes="tyx")
    with ChunkedImageStore(source) as store:
        viewer = ViewerModel()
        viewer.add_layer(Layer.create(*layer_data_of(store)[0]))
        scene = NapariScene(viewer)
        viewer.dims.set_current_step(0, 3)
        (port,) = scene.layers
        assert [tuple(s) for s in port.data.selections] == [(3,)]
        scene.close()


def test_a_turned_image_becomes_a_layer_with_an_affine(tmp_path):
    axes = [{"name": a, "type": "time" if a == "t" else "space"} for a in "tzyx"]
    level = {"type": "scale", "scale": [3, 2, 1, 1], "input": {"path": "0"}}
    turn = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 5], [0, 0, 0.8, -0.6, 6], [0, 0, 0.6, 0.8, 7]]
    image = {
        "coordinateSystems": [{"name": n, "axes": axes} for n in ("world", "own")],
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [level | {"output": {"name": "own"}}],
            }
        ],
        "coordinateTransformations": [
            {
                "type": "affine",
                "affine": turn,
                "input": {"name": "own"},
                "output": {"name": "world"},
            }
        ],
    }
    ome = {"ome": {"version": "0.6", "multiscales": [image]}}
    write_image(tmp_path / "a.zarr", [ramp((2, 4, 6, 8))], ome, zarr_format=3)
    (layer,) = open_layers(tmp_path / "a.zarr")
    assert tuple(layer.scale) == (3, 2, 1, 1)
    np.testing.assert_allclose(layer.affine.affine_matrix[:4], turn)
    np.testing.assert_allclose(
        layer.data_to_world((1, 1, 2, 3)),
        (3, 7, 0.8 * 2 - 0.6 * 3 + 6, 0.6 * 2 + 0.8 * 3 + 7),
    )


@pytest.fixture
def turned_scene(tmp_path):
    """Two turned images of an OME-Zarr 0.6 scene."""
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": axes}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    ways = []
    for i in range(2):
        turn = [[1, 0, 0, 3 * i], [0, 0.6, -0.8, 0], [0, 0.8, 0.6, 9 * i]]
        ways.append(
            {
                "type": "affine",
                "affine": turn,
                "input": {"path": f"i{i}", "name": "own"},
                "output": {"name": "world"},
            }
        )
        about = {"ome": {"version": "0.6", "multiscales": [image]}}
        folder = tmp_path / "s.zarr" / f"i{i}"
        write_image(folder, [ramp((4, 8, 8), seed=i)], about, zarr_format=3)
    scene = {
        "coordinateSystems": [{"name": "world", "axes": axes}],
        "coordinateTransformations": ways,
    }
    attributes = {"ome": {"version": "0.6", "scene": scene}}
    write_group(tmp_path / "s.zarr", attributes, zarr_format=3)
    return str(tmp_path / "s.zarr")


def test_images_of_a_scene_open_apart_each_where_it_lies(turned_scene):
    layers = open_layers(turned_scene, apart=True)
    assert [layer.name for layer in layers] == ["i0", "i1"]
    for i, layer in enumerate(layers):
        assert np.array_equal(np.asarray(layer.data[0]), ramp((4, 8, 8), seed=i))
        moved = layer.data_to_world((1.0, 2.0, 3.0))
        expected = (1 + 3 * i, 0.6 * 2 - 0.8 * 3, 0.8 * 2 + 0.6 * 3 + 9 * i)
        assert moved == pytest.approx(expected)


def test_a_scene_as_one_says_that_its_images_open_alone(turned_scene, shown):
    (layer,) = open_layers(turned_scene)
    assert what_is_shown(store_behind(layer).info, {}).startswith("2 images as one")


def test_too_many_images_do_not_open_apart(turned_scene, monkeypatch):
    monkeypatch.setattr(make, "MOST_APART", 1)
    with pytest.raises(OptionError, match="at most 1 images to open apart; found 2"):
        open_layers(turned_scene, apart=True)
    with pytest.raises(OptionError, match="all images apart, or some"):
        open_layers(turned_scene, apart=True, image="i0")


def test_limits_of_what_cannot_be_read_are_those_of_its_type():
    """Limits from 0 to 1 would make all that can be read of finer levels white."""
    source = MemorySource([np.full((4, 4, 4), 900, "u2")], [(4, 4, 4)])
    source.fail(0, (0, 0, 0))
    ((_, look, _),) = make.layers_of_source(lambda: source)
    assert look["contrast_limits"] == (0, 65535)
