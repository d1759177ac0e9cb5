"""Overlays are one view's own; those that are off cost nothing."""

import threading

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.rendering.overlays.options import NAMES, OverlayState
from brickfield.rendering.overlays.overlay_set import OverlaySet

CONTENT = {"marker": {"position": (40.0, 40.0, 40.0)}, "text": {"text": "hello"}}


def show_all(view) -> None:
    for name in NAMES:
        view.overlays.set_options(name, visible=True, **CONTENT.get(name, {}))


def test_a_change_asks_for_a_repaint_once_and_no_change_for_none():
    asked = []
    overlays = OverlaySet(lambda: asked.append(None))
    overlays.set_options("axes", visible=True)
    assert len(asked) == 1
    overlays.set_options("axes", visible=True)
    overlays.state = overlays.state
    assert len(asked) == 1
    overlays.state = OverlayState()
    assert len(asked) == 2


def test_a_refused_option_changes_nothing():
    asked = []
    overlays = OverlaySet(lambda: asked.append(None))
    with pytest.raises(OptionError):
        overlays.set_options("axes", visible=True, length="long")
    assert not overlays.options("axes").visible
    assert not asked
    with pytest.raises(OptionError, match="scale_bar, axes"):
        overlays.options("compass")
    assert overlays.names == NAMES


def test_off_they_leave_every_pixel_and_add_no_pass(store, seen, monkeypatch):
    view = seen(store, (96, 80), camera="orbit:30,20")
    before = view.image()
    passes = []
    render = view.renderer.render
    monkeypatch.setattr(
        view.renderer, "render", lambda *a, **k: passes.append(a) or render(*a, **k)
    )
    view.image()
    n = len(passes)
    show_all(view)
    shown = view.image()
    assert len(passes) == 2 * n + 1, "all of them together are one pass"
    view.overlays.state = OverlayState()
    after = view.image()
    assert len(passes) == 3 * n + 1
    assert (after == before).all()
    assert (shown != before).any()


def test_two_views_of_a_layer_have_overlays_of_their_own(
    store, seen, make_view, monkeypatch
):
    a = seen(store, (96, 80))
    b = make_view(a.layers[0], size=(96, 80), camera="ortho:z")
    assert b.wait_until_complete(30)
    plain = b.image()
    versions = a.layers[0].data_version.value, a.layers[0].colormap_version.value
    show_all(a)
    assert (a.image() != plain).any()
    assert (b.image() == plain).all()
    now = a.layers[0].data_version.value, a.layers[0].colormap_version.value
    assert now == versions


def test_frames_update_the_same_objects(store, seen):
    view = seen(store, (96, 80), camera="orbit:30,20")
    show_all(view)
    view.image()
    first = [
        id(o) for s in (view.overlays._flat, view.overlays._deep) for o in s.iter()
    ]
    from brickfield.camera import camera_spec, fit_camera
    from brickfield.rendering.volume_view import world_corners

    for angle in (60, 90, 200):
        spec = camera_spec(f"orbit:{angle},10")
        corners = world_corners(view.layers[0])
        view.camera = fit_camera(spec, corners, (96, 80), (130, 140, 150))
        view.image()
    again = [
        id(o) for s in (view.overlays._flat, view.overlays._deep) for o in s.iter()
    ]
    assert again == first


def test_classes_of_the_receipt_are_those_without_overlays(store, seen):
    view = seen(store, (96, 80))
    plain = view.classes()
    show_all(view)
    assert (view.classes() == plain).all()


def test_what_lies_under_an_overlay_can_still_be_picked(store, seen):
    view = seen(store, (96, 80))
    view.image()
    at = (48, 40)
    before = view.renderer.get_pick_info(at)
    view.overlays.set_options("text", visible=True, text="M" * 40, font_size=60)
    view.image()
    after = view.renderer.get_pick_info(at)
    assert after["world_object"] is before["world_object"]
    assert after["view_depth"] == pytest.approx(before["view_depth"])


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (40, 30)])
def test_a_picture_of_any_size_can_have_them(dark, seen, size):
    view = seen(dark, size)
    show_all(view)
    assert view.image().shape == (size[1], size[0], 4)


def test_a_view_without_layers_can_have_them(dark, seen):
    view = seen(dark, (80, 60))
    view.set_layers([])
    show_all(view)
    assert view.image().shape == (60, 80, 4)


def test_other_threads_may_set_options_while_a_view_draws(dark, seen):
    view = seen(dark, (80, 60))
    show_all(view)
    stop = threading.Event()

    def change() -> None:
        flips = 0
        while not stop.is_set() and flips < 2000:
            flips += 1
            view.overlays.set_options("text", text=f"{flips}", visible=flips % 2 == 0)

    worker = threading.Thread(target=change)
    worker.start()
    try:
        for _ in range(10):
            view.image()
    finally:
        stop.set()
        worker.join(10)
    view.overlays.set_options("text", text="end", visible=True)
    assert np.asarray(view.image()).any()
