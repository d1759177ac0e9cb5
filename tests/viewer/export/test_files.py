"""An MP4 is whole or not there, and plays everywhere."""

import numpy as np
import pytest
from PIL import Image

from brickfield.errors import MissingExtraError, StoreWriteError
from brickfield.viewer.export import files as mp4
from brickfield.viewer.export.files import encode, mark_incomplete, padded


@pytest.fixture
def files(tmp_path):
    places = [tmp_path / f"{i}.png" for i in range(3)]
    for i, place in enumerate(places):
        Image.fromarray(np.full((16, 16, 4), 60 * i + 60, np.uint8)).save(place)
    return places


def test_odd_sides_get_black_and_nothing_is_scaled():
    image = np.full((3, 5, 4), 200, np.uint8)
    image[..., 3] = 255
    flat = padded(image)
    assert flat.shape == (4, 6, 3)
    assert (flat[:3, :5] == 200).all()
    assert flat[3].max() == flat[:, 5].max() == 0


def test_what_is_transparent_is_black_in_a_movie():
    image = np.full((2, 2, 4), 200, np.uint8)
    image[..., 3] = [[0, 255], [51, 128]]
    np.testing.assert_array_equal(padded(image)[..., 0], [[0, 200], [40, 100]])


def test_a_cancelled_movie_leaves_nothing(files, tmp_path):
    place = tmp_path / "out" / "m.mp4"
    asked = []
    assert not encode(
        files, place, 25, cancelled=lambda: asked.append(1) or len(asked) > 2
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(files, tmp_path):
    (tmp_path / "m.mp4").mkdir()
    with pytest.raises(StoreWriteError, match=r"m\.mp4; found: .*directory"):
        encode(files, tmp_path / "m.mp4", 25)
    assert not list(tmp_path.glob(".*partial*"))


def test_without_the_encoder_one_is_told_what_to_install(files, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(f"no module named {name}")

    monkeypatch.setattr(mp4, "import_module", missing)
    assert r"pip install 'napari-brickfield[movie]'" in mp4.mp4_problem()
    with pytest.raises(MissingExtraError, match="imageio-ffmpeg"):
        encode(files, tmp_path / "m.mp4", 25)


@pytest.mark.parametrize("size", [(12, 9), (400, 300)])
def test_a_mark_stands_in_the_corner_at_any_size(size):
    plain = np.full((size[1], size[0], 4), 90, np.uint8)
    marked = mark_incomplete(plain)
    assert (marked != plain).any()
    assert (plain == 90).all()
    if size[0] == 400:
        rows, columns = np.nonzero((marked != plain).any(axis=-1))
        assert rows.max() < 60
        assert columns.max() < 200
