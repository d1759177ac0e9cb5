"""napari's camera and ours say the same of a picture."""

from dataclasses import replace
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.plugin.docking.camera_link import (
    ORIENTATION,
    NapariCamera,
    from_napari,
    is_mirrored,
    is_same,
    to_napari,
)
from brickfield.testing.cameras import cameras, pixel_of, same_picture

HOME = NapariCamera((20.0, 25.0, 30.0), 4.0, (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
sizes = st.tuples(st.integers(20, 3000), st.integers(20, 3000))


@given(cameras(), sizes, st.booleans())
def test_there_and_back_is_the_same_picture(camera, canvas, mirrored):
    there = to_napari(camera, canvas, is_mirrored=mirrored)
    back = from_napari(there, canvas, camera.viewport)
    assert back.orthographic == camera.orthographic
    assert same_picture(back, camera)
    assert is_same(to_napari(back, canvas, is_mirrored=mirrored), there)


@pytest.mark.parametrize("perspective", [0.0, 30.0])
def test_a_zoom_of_four_draws_a_unit_at_the_centre_four_pixels_large(perspective):
    napari = replace(HOME, perspective=perspective)
    camera = from_napari(napari, (800, 600), (800, 600))
    assert camera.target == napari.center
    centre = napari.center
    np.testing.assert_allclose(pixel_of(camera, centre), (400, 300), atol=1e-9)
    np.testing.assert_allclose(pixel_of(camera, np.add(centre, (0, 0, 5))), (420, 300))
    np.testing.assert_allclose(pixel_of(camera, np.add(centre, (0, 5, 0))), (400, 320))


@pytest.mark.parametrize("viewport", [(600, 300), (300, 600), (300, 300)])
def test_the_shorter_side_shows_as_much_in_a_picture_of_another_shape(viewport):
    camera = from_napari(HOME, (800, 600), viewport)
    # 600 px of 4 a unit are 150 units, now on 300 px
    across = pixel_of(camera, np.add(HOME.center, (0, 0, 75)))
    assert across[0] - viewport[0] / 2 == pytest.approx(150)


def test_a_mirrored_napari_keeps_right_and_up_on_the_screen():
    # what napari's default shows first: seen from larger z, y down, x to the right
    napari = replace(HOME, view_direction=(-1.0, 0.0, 0.0), is_mirrored=True)
    camera = from_napari(napari, (800, 600), (800, 600))
    np.testing.assert_allclose(camera.axes[0], (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(camera.axes[1], (0, -1, 0), atol=1e-12)


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (ORIENTATION, False),
        (("towards", "down", "right"), True),
        (("towards", "up", "right"), False),
        (("towards", "up", "left"), True),
    ],
)
def test_an_odd_number_of_turned_axes_mirrors(orientation, expected):
    assert is_mirrored(orientation) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"zoom": 0.0},
        {"zoom": nan},
        {"center": (nan, 0.0, 0.0)},
        {"up_direction": (1.0, 0.0, 0.0)},
    ],
)
def test_a_camera_that_shows_nothing_is_refused(change):
    napari = replace(HOME, **change)
    assert not napari.is_usable
    with pytest.raises(OptionError, match="shows something"):
        from_napari(napari, (8, 6), (8, 6))


def test_an_echo_is_told_from_a_change():
    turned = replace(HOME, view_direction=(1.0, 0.001, 0.0))
    assert is_same(HOME, replace(HOME, zoom=4.0001))
    for other in (
        turned,
        replace(HOME, zoom=4.01),
        replace(HOME, perspective=1.0),
        replace(HOME, is_mirrored=True),
        replace(HOME, center=(20.0, 25.0, 30.5)),
    ):
        assert not is_same(HOME, other)
