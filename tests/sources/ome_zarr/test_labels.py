"""Colours and properties that a label image gives its labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickfield.sources.ome_zarr.channels import colors_of_labels, properties_of_labels
from brickfield.store import open_store
from brickfield.testing.zarr_stores import write_image

LABEL = {
    "version": "0.4",
    "colors": [
        {"label-value": 1, "rgba": [255, 0, 0, 255]},
        {"label-value": 2.0, "rgba": [0, 255, 0, 255]},
    ],
    "properties": [{"label-value": 1, "class": "nucleus", "area": 12.5}],
}


def test_colours_are_read_for_the_labels_that_have_some():
    assert colors_of_labels(LABEL) == ((1, (255, 0, 0, 255)), (2, (0, 255, 0, 255)))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {"colors": 3},
        {"colors": [3, {"rgba": [1, 2, 3, 4]}]},
        {"colors": [{"label-value": 1.5, "rgba": [1, 2, 3, 4]}]},
        {"colors": [{"label-value": 1, "rgba": [1, 2, 3]}]},
        {"colors": [{"label-value": 1, "rgba": [1, 2, 3, 999]}]},
        {"colors": [{"label-value": 1}]},
    ],
)
def test_odd_colours_are_left_out(odd):
    assert colors_of_labels(odd) == ()
    assert properties_of_labels(odd) == ()


def test_properties_are_texts_and_numbers():
    assert properties_of_labels(LABEL) == ((1, (("class", "nucleus"), ("area", 12.5))),)


@pytest.fixture
def labels(tmp_path):
    """Labels 1, 2 and 3 in three columns of one plane, OME-Zarr 0.4."""
    data = np.zeros((1, 8, 12), np.uint16)
    for label in (1, 2, 3):
        data[:, :, 4 * label - 4 : 4 * label] = label
    write_image(tmp_path / "a.zarr", [data])
    file = tmp_path / "a.zarr" / ".zattrs"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"image-label": LABEL}))
    return tmp_path / "a.zarr"


def test_a_store_tells_the_colours_of_its_labels(labels):
    with open_store(labels) as store:
        assert store.info.is_labels
        assert dict(store.info.label_colors)[2] == (0, 255, 0, 255)


@pytest.mark.gpu
def test_labels_are_drawn_in_the_colours_of_the_file(labels, adapter):
    from brickfield.viewer.export import render

    image = render(labels, size=(12, 8), camera="ortho:z", mode="translucent").image
    red, green, gray = image[4, 2, :3], image[4, 6, :3], image[4, 10, :3]
    assert tuple(red) == (255, 0, 0)
    assert tuple(green) == (0, 255, 0)
    assert gray[0] == gray[1] == gray[2] > 0
