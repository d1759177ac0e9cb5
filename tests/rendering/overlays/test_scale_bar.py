"""A scale bar is as long as it says."""

import json

import numpy as np
import pytest


def longest_white_run(image: np.ndarray) -> int:
    """Length of the longest row of pure white pixels."""
    best = 0
    for row in (image[..., :3] == 255).all(axis=-1):
        edges = np.diff(np.concatenate([[0], row.astype(int), [0]]))
        runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
        best = max(best, int(runs.max(initial=0)))
    return best


@pytest.mark.parametrize("pixel_ratio", [1.0, 2.0, 1.5])
def test_its_pixels_are_its_length_over_the_size_of_a_pixel(dark, seen, pixel_ratio):
    # 100 units over 100 pixels, 160 across: 40 units fit a quarter, 20 are round.
    view = seen(dark, (160, 100), pixel_ratio=pixel_ratio)
    view.overlays.set_options("scale_bar", visible=True)
    assert longest_white_run(view.image()) == pytest.approx(20 * pixel_ratio, abs=1)


@pytest.mark.parametrize(
    ("height", "length"), [(100, 20), (130, 50), (7.3, 2), (0.9, 0.2)]
)
def test_it_follows_the_zoom(dark, seen, height, length):
    view = seen(dark, (160, 100))
    spec = {"position": [-100, 49, 49], "target": [49, 49, 49], "up": [0, -1, 0]}
    from brickfield.camera import camera_spec, fit_camera

    spec |= {"orthographic": True, "height": height}
    view.camera = fit_camera(
        camera_spec(json.dumps(spec)), np.zeros((8, 3)), (160, 100), (50, 50, 50)
    )
    view.overlays.set_options("scale_bar", visible=True)
    expected = length / (height / 100)
    assert 16 <= expected <= 40.1, "10 to 25 per cent of the width"
    assert longest_white_run(view.image()) == pytest.approx(expected, abs=1)


def test_in_perspective_it_holds_at_the_target(dark, seen):
    view = seen(dark, (160, 100), camera="orbit:0,0")
    view.overlays.set_options("scale_bar", visible=True)
    camera = view.camera
    distance = np.linalg.norm(np.subtract(camera.target, camera.position))
    pixel = 2 * distance * np.tan(np.radians(camera.fov) / 2) / 100
    fits = [n for n in (1, 2, 5, 10, 20, 50, 100) if n <= 0.25 * 160 * pixel]
    assert longest_white_run(view.image()) == pytest.approx(fits[-1] / pixel, abs=1)


def test_it_stands_in_its_corner_and_changes_nothing_else(dark, seen, changed):
    view = seen(dark, (160, 100))
    view.overlays.set_options("scale_bar", visible=True, corner="top_left")
    rows, columns = np.nonzero(changed(view))
    assert rows.min() >= 3
    assert rows.max() < 40
    assert columns.min() >= 3
    assert columns.max() < 70


def test_on_white_it_is_dark(seen, dark):
    view = seen(dark, (300, 100), background=(1.0, 1.0, 1.0))
    view.overlays.set_options("scale_bar", visible=True, corner="bottom_right")
    # The volume is 100 pixels wide in the middle: the corner is background.
    corner = view.image()[60:, 220:, 0]
    assert corner.min() < 30
    assert corner.max() == 255
