"""A picture is there in time, with as many pixels as the time allows."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from brickfield.rendering.offscreen import SMALL, fits, picture_by, scale_for


def test_with_ample_time_a_picture_has_every_pixel(store, make_view, layer_of):
    view = make_view(layer_of(store))
    assert view.wait_until_complete(30)
    picture = picture_by(view, perf_counter() + 1e6)
    assert picture.scale == 1
    assert np.array_equal(picture.image, view.image())


def test_a_late_picture_has_fewer_pixels_but_is_whole(
    store, make_view, layer_of, monkeypatch
):
    """It has the usual size and about the usual brightness, and leaves no trace."""
    view = make_view(layer_of(store), size=(160, 128))
    assert view.wait_until_complete(30)
    whole = view.image()
    monkeypatch.setattr("brickfield.rendering.offscreen.scale_for", lambda *_: 0.25)
    picture = picture_by(view, perf_counter())
    assert picture.scale == 0.25
    assert picture.cost_s > 0
    assert picture.image.shape == whole.shape
    mean = picture.image[..., 0].mean(dtype=float)
    assert mean == pytest.approx(whole[..., 0].mean(dtype=float), rel=0.1)
    assert np.array_equal(view.image(), whole)


def test_classes_of_pixels_are_the_same_with_fewer_of_them(store, make_view, layer_of):
    view = make_view(layer_of(store), size=(160, 128))
    assert view.wait_until_complete(30)
    every = view.classes()
    view.audit_scale = 0.25
    some = view.classes()
    assert set(np.unique(some)) == set(np.unique(every))
    assert np.mean(some == every) > 0.9


def test_the_scale_follows_from_the_time_that_is_left():
    """Pixels cost alike: a quarter of them takes a quarter of the time."""
    end = perf_counter() + 10
    assert scale_for(5, end) == 1
    assert scale_for(40, end) == pytest.approx(0.5, rel=0.01)
    assert scale_for(1e9, end) == SMALL
    assert fits(5, end)
    assert not fits(40, end)
