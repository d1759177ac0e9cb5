"""A view made ahead compiles and reads nothing; the first drawer draws with it."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest

from brickfield.store import LayerSnapshot
from brickfield.viewer.live.drawing.drawer import prepare_view, take_prepared
from brickfield.viewer.live.drawing.frame_budget import Painter

pytestmark = pytest.mark.gpu


@pytest.fixture
def prepared(adapter):
    """Prepare a view for layers; whatever is left of it is closed."""
    yield prepare_view
    left = take_prepared()
    if left is not None:
        left.close()


@pytest.fixture
def port(memory_scene, box):
    port = memory_scene.add([box, box[::2, ::2, ::2]])
    port.contrast = (0, 255)
    return port


def test_compiling_for_a_layer_reads_nothing_of_it_and_leaves_nothing_shown(
    prepared, port
):
    before = port.data.store.manager.counters.requests
    prepared([LayerSnapshot.of(port.data)], ("scale_bar", "axes"))
    view = take_prepared()
    assert port.data.store.manager.counters.requests == before
    assert (view.layers, view.camera, view.manager.gpu_bytes) == ((), None, 0)
    assert view.manager.statistics.frames == 0
    view.close()


def test_there_is_one_at_most_and_it_is_taken_once(prepared):
    prepared()
    prepared()
    view = take_prepared()
    assert view is not None
    assert take_prepared() is None
    view.close()


def test_a_drawer_takes_it_and_its_pictures_are_those_of_any_other(
    prepared, port, make_live, turns
):
    other = make_live()
    assert turns.run_until(lambda: other.is_settled)
    prepared([LayerSnapshot.of(port.data)], ("scale_bar",))
    view = make_live()
    assert turns.run_until(lambda: view.is_settled)
    assert take_prepared() is None
    np.testing.assert_array_equal(view.report.image, other.report.image)


@pytest.mark.usefixtures("forgetful")
def test_programs_of_a_prepared_layer_are_not_built_again(prepared, port):
    from pygfx.renderers.wgpu.engine.utils import gpu_caches

    snapshot = LayerSnapshot.of(port.data)
    prepared([snapshot])
    view = take_prepared()
    misses = gpu_caches.shader_modules.misses, gpu_caches.pipelines.misses
    view.compile([snapshot])
    assert (gpu_caches.shader_modules.misses, gpu_caches.pipelines.misses) == misses
    view.close()


def test_pictures_of_a_prepared_layer_are_drawn_without_compiling_first(prepared, port):
    snapshot = LayerSnapshot.of(port.data)
    prepared([snapshot])
    view, painter = take_prepared(), Painter()
    view.show([snapshot])
    assert painter.has_compiled(view)
    port.mode = "iso"
    view.show([LayerSnapshot.of(port.data)])
    view.sync()
    assert not painter.has_compiled(view)
    view.close()


def test_the_first_picture_comes_before_its_overlays_are_compiled(
    port, make_live, turns
):
    """And it does not count as final: the next one has them."""
    plain = make_live()
    plain.set_overlay_options("scale_bar", visible=False)
    assert turns.run_until(lambda: plain.is_settled)
    view = make_live()
    view.set_overlay_options("scale_bar", visible=True)
    first = []

    def note(report):
        if report.image is not None and report.image[..., :3].max() > 100:
            first.append((report.image, report.is_complete))

    view.reported.connect(note)
    assert turns.run_until(lambda: view.is_settled)
    image, is_complete = first[0]
    assert not is_complete
    final, without = view.report.image[..., :3], plain.report.image[..., :3]
    bar = (final > 200).all(axis=-1) & (without == 0).all(axis=-1)
    assert bar.sum() > 50
    # Fewer pixels: what lies beside is spread a little.
    assert image[bar][:, :3].mean() < 20


def test_data_that_come_while_programs_are_compiled_are_in_the_first_picture(
    port, make_live, turns, monkeypatch
):
    """They were read beside it, and are taken to the device before it is drawn."""
    compile_, tracker = Painter.compile, port.data.store.tracker

    def slowly(self, view):
        (renderer,) = view.manager.renderers
        while not tracker.status(renderer.visual_id).is_complete:
            sleep(0.005)
        compile_(self, view)

    monkeypatch.setattr(Painter, "compile", slowly)
    view = make_live()
    pictures = []
    view.reported.connect(
        lambda r: pictures.append(r.image) if r.image is not None else None
    )
    assert turns.run_until(lambda: bool(pictures))
    assert pictures[0][..., :3].max() > 100
