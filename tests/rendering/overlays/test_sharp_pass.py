"""In motion a picture may have fewer pixels; words keep all of theirs."""

import numpy as np
import pytest

FLAT = ("scale_bar", "axes", "text")


def show(view) -> None:
    for name in FLAT:
        view.overlays.set_options(name, visible=True)
    view.overlays.set_options("text", text="sharp")


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.7])
def test_words_over_a_coarse_picture_are_as_at_rest(dark, seen, scale):
    view = seen(dark, (160, 120))
    show(view)
    at_rest = view.image().astype(int)
    view.renderer.pixel_scale = scale
    in_motion = view.image().astype(int)
    # Blended in two steps: the last bits may differ.
    assert np.abs(in_motion - at_rest).max() <= 12
    assert (in_motion[..., 3] == 255).all()


def test_the_coarse_picture_under_them_stays(store, seen):
    view = seen(store, (120, 100))
    view.renderer.pixel_scale = 0.5
    plain = view.image()
    view.overlays.set_options("scale_bar", visible=True)
    shown = view.image()
    rows, _ = np.nonzero((plain != shown).any(axis=-1))
    assert rows.min() > 60
    view.overlays.set_options("scale_bar", visible=False)
    assert (view.image() == plain).all()


def test_back_at_rest_and_after_a_resize_all_is_as_before(dark, seen):
    view = seen(dark, (160, 120))
    show(view)
    at_rest = view.image()
    view.renderer.pixel_scale = 0.5
    view.image()
    view.resize((200, 100))
    assert view.image().shape == (100, 200, 4)
    view.renderer.pixel_scale = 1
    view.resize((160, 120))
    assert (view.image() == at_rest).all()
