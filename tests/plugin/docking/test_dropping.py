"""What is dropped on the docks is opened as if it were dropped on the window."""

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

import brickfield as bf
from brickfield.plugin.layers.registry import docks_of
from brickfield.testing.zarr_stores import image_attributes, write_image

pytestmark = pytest.mark.napari


@pytest.fixture
def dock(make_napari_viewer):
    viewer = make_napari_viewer(show=False)
    bf.view_of(viewer)
    return docks_of(viewer)[0]


def test_images_and_what_napari_reads_are_opened(dock, tmp_path):
    zarr, csv = tmp_path / "a.ome.zarr", tmp_path / "points.csv"
    about = image_attributes("zyx", [(1, 1, 1)])
    write_image(zarr, [np.ones((8, 8, 8), np.uint8)], about)
    csv.write_text("index,axis-0,axis-1\n0,1,2\n")
    dock.open_dropped([str(zarr), str(csv)])
    layers = dock._viewer().layers
    assert [type(layer).__name__ for layer in layers] == ["Image", "Points"]


def test_what_cannot_be_read_is_told_in_one_sentence(dock, tmp_path):
    broken = tmp_path / "a.ome.zarr"
    broken.mkdir()
    (broken / "zarr.json").write_text("{")
    before = len(notification_manager.records)
    dock.open_dropped([str(broken)])
    told = notification_manager.records[before:]
    assert [record.severity.value for record in told] == ["error"]
    assert "zarr.json" in told[0].message
    assert not dock._viewer().layers
