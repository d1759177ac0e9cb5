"""Images to make sessions of."""

import numpy as np
import pytest

from brickfield.sessions import SessionManager
from brickfield.sessions.looks import scene_of
from brickfield.sources import open_source
from brickfield.testing.zarr_stores import image_attributes, write_image

DATA = np.random.default_rng(4).integers(0, 4000, (2, 24, 30, 40)).astype(np.uint16)


@pytest.fixture
def data():
    """Channel, z, y, x."""
    return DATA


@pytest.fixture
def image(tmp_path):
    """Two channels, two levels, voxels of 2 x 0.5 x 0.5."""
    attributes = image_attributes("czyx", [(1, 2, 0.5, 0.5), (1, 4, 1, 1)])
    folder = tmp_path / "data" / "a.ome.zarr"
    folder.parent.mkdir()
    return write_image(folder, [DATA, DATA[:, ::2, ::2, ::2]], attributes)


@pytest.fixture
def scene(image):
    source = open_source(str(image))
    yield scene_of([(str(image), source)])
    source.close()


@pytest.fixture
def manager(tmp_path):
    return SessionManager(tmp_path)
