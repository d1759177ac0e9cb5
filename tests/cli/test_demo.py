"""``brickfield demo``."""

import numpy as np
import pytest
from PIL import Image

from brickfield.sample import store
from brickfield.sample.tissue import Grid

pytestmark = [pytest.mark.gpu, pytest.mark.slow]


def test_the_demo_leaves_a_picture_with_structure(
    command, adapter, tmp_path, monkeypatch
):
    small = Grid((48, 96, 96), (2.0, 1.0, 1.0))
    monkeypatch.setattr(store.write_sample, "__defaults__", (small,))
    ended = command("demo", "--folder", tmp_path)
    assert ended.status == 0
    picture = np.asarray(Image.open(tmp_path / "demo-volume.png"))
    assert picture.shape == (700, 900, 3)
    # Blue nuclei and dark surroundings, many shades of both.
    assert (picture.max(axis=2) > 120).mean() > 0.05
    assert (picture.max(axis=2) < 40).mean() > 0.2
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200
