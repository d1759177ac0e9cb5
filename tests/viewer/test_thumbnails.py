"""A thumbnail shows the coarsest level with the colours of the file."""

from contextlib import closing

import numpy as np

from brickfield.store import open_store
from brickfield.testing.zarr_stores import image_attributes, write_image
from brickfield.viewer import thumbnails as small
from brickfield.viewer.thumbnails import thumbnail


def picture_of(*levels, **options):
    with closing(open_store(list(levels), **options)) as store:
        return thumbnail(store)


def test_the_picture_is_of_the_coarsest_level():
    fine, coarse = np.zeros((1, 64, 64), "u1"), np.zeros((1, 32, 32), "u1")
    coarse[0, 4, 8] = 200
    coarse[0, 10:20, 10:20] = 100
    seen = picture_of(fine, coarse)
    assert seen.shape == (32, 32, 3)
    assert seen.dtype == np.uint8
    assert (seen[4, 8] == 255).all()
    assert (seen[0, 0] == 0).all()


def test_the_longer_edge_has_at_most_96_pixels():
    assert picture_of(np.zeros((1, 100, 400), "u1")).shape == (20, 80, 3)


def test_a_volume_is_seen_from_the_front_as_a_maximum():
    volume = np.zeros((5, 8, 8), "u1")
    volume[1, 2, 3] = volume[4, 6, 5] = 9
    seen = picture_of(volume)[..., 0] > 0
    assert sorted(map(tuple, np.argwhere(seen).tolist())) == [(2, 3), (6, 5)]


def test_channels_have_the_colours_and_windows_of_the_file(tmp_path):
    data = np.zeros((2, 4, 4), "u1")
    data[0, 0, 0], data[1, 3, 3] = 100, 50
    look = image_attributes("cyx", [[1, 1, 1]])
    look["omero"] = {
        "channels": [
            {"color": c, "window": {"start": 0, "end": 100}, "active": True}
            for c in ("FF0000", "00FF00")
        ]
    }
    with closing(open_store(write_image(tmp_path / "i.zarr", [data], look))) as store:
        seen = thumbnail(store)
    assert seen[0, 0].tolist() == [255, 0, 0]
    assert seen[3, 3].tolist() == [0, 127, 0]


def test_objects_have_colours_of_their_own_and_none_is_black(tmp_path):
    data = np.array([[0, 1], [2, 2]], "u4")
    look = image_attributes("yx", [[1, 1]]) | {"image-label": {}}
    with closing(open_store(write_image(tmp_path / "l.zarr", [data], look))) as store:
        seen = thumbnail(store)
    assert seen[0, 0].tolist() == [0, 0, 0]
    assert seen[1, 0].tolist() == seen[1, 1].tolist() != seen[0, 1].tolist()
    assert seen[0, 1].min() >= 96


def test_of_what_is_all_alike_the_picture_is_gray():
    assert (picture_of(np.full((1, 4, 4), 7, "u2")) == 127).all()


def test_without_a_small_level_there_is_no_picture(monkeypatch):
    monkeypatch.setattr(small, "MOST_BYTES", 63)
    assert picture_of(np.zeros((1, 8, 8), "u1")) is None
    monkeypatch.setattr(small, "MOST_BYTES", 64)
    assert picture_of(np.zeros((1, 8, 8), "u1")) is not None


def test_of_a_thick_volume_the_middle_plane_is_read(monkeypatch):
    monkeypatch.setattr(small, "MOST_BYTES", 64)
    volume = np.zeros((4, 8, 8), "u1")
    volume[2, 1, 1] = volume[0, 5, 5] = 9
    seen = picture_of(volume)[..., 0] > 0
    assert np.argwhere(seen).tolist() == [[1, 1]]
