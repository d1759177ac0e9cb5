"""Coloured looks of a mosaic as napari layers."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.testing.zarr_stores import write_group, write_image
from brickfield.viewer.controls import MosaicTiles

pytestmark = [pytest.mark.napari, pytest.mark.qt]
AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]


@pytest.fixture
def place(tmp_path):
    """A scene of two tiles beside one another."""
    ways = []
    for i in range(2):
        image = {
            "coordinateSystems": [{"name": "tile", "axes": AXES}],
            "datasets": [
                {
                    "path": "0",
                    "coordinateTransformations": [
                        {
                            "type": "scale",
                            "scale": [1.0] * 3,
                            "input": {"path": "0"},
                            "output": {"name": "tile"},
                        }
                    ],
                }
            ],
        }
        about = {"ome": {"version": "0.6", "multiscales": [image]}}
        data = np.full((8, 12, 12), 50 + 100 * i, "u1")
        write_image(tmp_path / "s.zarr" / f"t{i}", [data], about, zarr_format=3)
        ways.append(
            {
                "type": "translation",
                "translation": [0.0, 0.0, 8.0 * i],
                "input": {"path": f"t{i}", "name": "tile"},
                "output": {"name": "world"},
            }
        )
    scene = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": ways,
    }
    about = {"ome": {"version": "0.6", "scene": scene}}
    write_group(tmp_path / "s.zarr", about, zarr_format=3)
    return str(tmp_path / "s.zarr")


@pytest.fixture
def shown(make_napari_viewer, place):
    viewer = make_napari_viewer(show=False)
    (layer,) = bf.open_volume(place, viewer)
    scene = NapariScene(viewer)
    yield viewer, scene, layer
    scene.close()


def test_a_layer_for_each_colour_takes_the_place_of_the_mosaic(shown):
    viewer, scene, layer = shown
    store = bf.store_of(layer)
    layer.contrast_limits = (10, 180)
    tiles = MosaicTiles(store, scene)
    tiles.colour_by = "tile"
    looks = [x for x in viewer.layers if x is not layer]
    assert [x.name.endswith(f"by tile: tiles {i + 1}") for i, x in enumerate(looks)]
    assert len(looks) == 2
    assert all(tuple(x.contrast_limits) == (10, 180) for x in looks)
    assert len({x.colormap.name for x in looks}) == 2
    assert not layer.visible
    assert viewer.layers.selection.active is layer
    tiles.colour_by = None
    assert list(viewer.layers) == [layer]
    assert layer.visible


def test_a_scene_document_opens_the_colours_again(shown, make_napari_viewer):
    viewer, scene, layer = shown
    MosaicTiles(bf.store_of(layer), scene).colour_by = "tile"
    state = bf.get_state(viewer)
    other = make_napari_viewer(show=False)
    bf.set_state(other, state)
    names = [x.name for x in viewer.layers]
    assert [x.name for x in other.layers] == names
    assert bf.store_of(other.layers[-1]).colour_by == "tile"
