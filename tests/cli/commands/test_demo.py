"""``brickfield demo`` leaves pictures, with napari or without."""

import numpy as np
import pytest
from PIL import Image

from brickfield.sample import Grid, store

pytestmark = [pytest.mark.gpu, pytest.mark.slow]


@pytest.mark.filterwarnings("ignore")  # what napari's own imports warn of
def test_the_demo_leaves_pictures_of_the_window_and_of_the_volume(
    command, adapter, tmp_path, monkeypatch
):
    small = Grid((48, 96, 96), (2.0, 1.0, 1.0))
    monkeypatch.setattr(store.write_sample, "__defaults__", (small,))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    # napari keeps its settings there.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    ended = command("demo", "--folder", tmp_path)
    assert ended.status == 0
    picture = np.asarray(Image.open(tmp_path / "demo-volume.png").convert("RGB"))
    # Blue nuclei and dark surroundings, many shades of both.
    assert (picture.max(axis=2) > 120).mean() > 0.02
    assert (picture.max(axis=2) < 40).mean() > 0.2
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200
    window = np.asarray(Image.open(tmp_path / "demo.png").convert("RGB"))
    assert window.shape[:2] == (800, 1280)
    # The volume stands on the right, napari's slice in the middle.
    assert len(np.unique(window[:, 800:].reshape(-1, 3), axis=0)) > 200


def test_without_napari_the_demo_draws_the_volume_alone(
    command, adapter, tmp_path, monkeypatch
):
    from brickfield.cli.commands import demo
    from brickfield.errors import MissingExtraError

    def refuse():
        raise MissingExtraError("expected napari; found none")

    small = Grid((48, 96, 96), (2.0, 1.0, 1.0))
    monkeypatch.setattr(store.write_sample, "__defaults__", (small,))
    monkeypatch.setattr(demo, "window_module", refuse)
    assert command("demo", "--folder", tmp_path).status == 0
    picture = np.asarray(Image.open(tmp_path / "demo-volume.png"))
    assert picture.shape == (700, 900, 3)
    assert not (tmp_path / "demo.png").exists()
