"""A layer of a test's store in the viewer of ``seen``, looked at along z."""

from __future__ import annotations

import pytest
from napari.layers import Layer

from brickfield.plugin.layers.describe import layer_data_of


@pytest.fixture
def layer(seen, store):
    """The one layer of a store: gray as stored, so that pictures equal voxels."""
    (data,) = layer_data_of(store)
    made = Layer.create(*data)
    made.contrast_limits = (0, 255)
    made.rendering = "mip"
    made.interpolation3d = "nearest"
    seen.viewer.add_layer(made)
    seen.look()
    return made
