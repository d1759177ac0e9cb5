"""Saving layers as one Imaris file from napari's File menu."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from qtpy.QtCore import QTimer

import brickfield as bf
from brickfield.errors import StoreWriteError
from brickfield.plugin.export.imaris_writer import write_imaris
from brickfield.qt import task_board

pytestmark = pytest.mark.napari
RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def _app(qtbot):
    yield
    assert task_board().running == ()


def described(data, name, kind="image", **more):
    meta = {"name": name, "scale": (1.0,) * data.ndim, "translate": (0.0,) * data.ndim}
    return data, meta | more, kind


def test_layers_saved_from_napari_are_the_channels_of_one_file(
    tmp_path, make_napari_viewer
):
    """Voxels, names, colours, contrast limits, voxel size and unit come back."""
    viewer = make_napari_viewer()
    one, two = (RNG.integers(0, 900, (6, 30, 40)).astype("u2") for _ in range(2))
    spacing = {"scale": (2, 0.5, 0.25), "units": "um"}
    viewer.add_image(one, name="nuclei", colormap="green", **spacing)
    viewer.add_image(two, name="wall", colormap="magenta", **spacing)
    viewer.add_labels(one.astype("i4") % 7, name="cells", **spacing)
    viewer.layers["wall"].contrast_limits = (50, 700)
    path = str(tmp_path / "a.ims")
    assert viewer.layers.save(path, plugin="napari-brickfield") == [path]
    with bf.open_store(path) as store:
        found = [
            store.read(0, ((0, 0, 0), one.shape), (0, channel)) for channel in range(3)
        ]
        channels = store.channels
        level = store.pyramid.levels[0]
    for image, wanted in zip(found, (one, two, one % 7), strict=True):
        assert_array_equal(image, wanted)
    assert [c.name for c in channels] == ["nuclei", "wall", "cells"]
    assert [c.color for c in channels[:2]] == [(0, 255, 0), (255, 0, 255)]
    assert channels[1].window == (50, 700)
    assert level.voxel_size_zyx == pytest.approx((2, 0.5, 0.25))
    assert [p.name for p in tmp_path.iterdir()] == ["a.ims"]


def test_a_layer_of_labels_alone_is_saved(tmp_path):
    labels = RNG.integers(0, 9, (4, 20, 20))
    path = str(tmp_path / "a.ims")
    assert write_imaris(path, [described(labels, "cells", "labels")]) == [path]
    with bf.open_store(path) as store:
        assert_array_equal(store.read(0, ((0, 0, 0), labels.shape), (0, 0)), labels)


def test_a_cancelled_save_leaves_nothing(tmp_path):
    QTimer.singleShot(0, task_board().cancel_all)
    image = np.zeros((300, 512, 512), "u2")
    assert write_imaris(str(tmp_path / "a.ims"), [described(image, "a")]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ([np.zeros((4, 9, 9), "u1"), np.zeros((5, 9, 9), "u1")], "one shape"),
        ([np.zeros((4, 9, 9), "c8")], "complex|real"),
        ([np.full((4, 9, 9), -1, "i2")], "choose --dtype"),
    ],
)
def test_what_cannot_be_saved_is_told_and_leaves_nothing(tmp_path, images, why):
    """napari takes a ValueError for "no writer" and says nothing."""
    layers = [described(image, str(i)) for i, image in enumerate(images)]
    with pytest.raises(StoreWriteError, match=why):
        write_imaris(str(tmp_path / "a.ims"), layers)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_kept(tmp_path):
    (tmp_path / "a.ims").write_text("old")
    layers = [described(np.zeros((4, 9, 9), "u1"), "a")]
    with pytest.raises(StoreWriteError, match="exists"):
        write_imaris(str(tmp_path / "a.ims"), layers)
    assert (tmp_path / "a.ims").read_text() == "old"
