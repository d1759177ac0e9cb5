"""A token in an address of a layer."""

import pytest

from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.scenes.state_layers import source_of
from brickfield.testing.http_server import FaultServer
from brickfield.testing.zarr_stores import ramp, write_image

pytestmark = pytest.mark.napari


def test_a_layer_shows_no_token_and_its_scene_keeps_it(tmp_path):
    """Metadata are saved and shown by others; a scene must open the data again."""
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    with FaultServer(tmp_path) as server:
        uri = f"{server.url}/a.zarr?token=TOKEN1"
        (layer,) = open_layers(uri)
        assert "TOKEN1" not in f"{layer.metadata} {layer.name} {layer.data[0]!r}"
        source = source_of(layer)
        assert source.uri == uri
        (again,) = open_layers(source.uri)
        assert source_of(again) == source


def test_napari_notes_no_token_of_where_a_layer_came_from(tmp_path):
    """Its own note of the opened path is shown and saved, too."""
    from napari.components import ViewerModel
    from napari.layers._source import layer_source

    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    viewer = ViewerModel()
    watch(viewer.layers)
    with FaultServer(tmp_path) as server:
        uri = f"{server.url}/a.zarr?token=TOKEN1"
        with layer_source(path=uri, reader_plugin="napari-brickfield"):
            (layer,) = open_layers(uri)
        assert "TOKEN1" in str(layer.source)
        viewer.layers.append(layer)
        assert layer.source.path == uri.replace("TOKEN1", "***")
        assert layer.source.reader_plugin == "napari-brickfield"
