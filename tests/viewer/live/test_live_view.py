"""A live view follows its layers and its camera, on a thread of its own."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.camera import navigation
from brickfield.errors import OptionError
from brickfield.loading import default_cache
from brickfield.testing.zarr_stores import write_image
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.live.live_view import LiveView
from brickfield.viewer.live.under_cursor import readout


def drawn(view, turns) -> ViewReport:
    """Wait for a complete picture of the present state."""

    assert turns.run_until(lambda: view.is_settled), view.report
    return view.report


def add(scene, arrays, **look):
    """Add a layer that looks so; return its port."""
    port = scene.add(arrays)
    for name, value in look.items():
        setattr(port, name, value)
    return port


def test_the_first_layer_is_shown_whole_without_touching_anything(
    make_live, memory_scene, turns, box
):
    view = make_live()
    add(memory_scene, box, contrast=(0, 255))
    image = drawn(view, turns).image
    assert image.shape == (60, 80, 4)
    assert image[30, 40, 0] == 200
    assert not image[[0, -1], :, :3].any(), "black above and below"


def test_nothing_is_drawn_while_nobody_can_see_it(make_live, memory_scene, turns, box):
    view = make_live(is_shown=False)
    memory_scene.add(box)
    assert not turns.run_until(lambda: view.report.image is not None, 0.3)
    view.is_shown = True
    drawn(view, turns)


def test_drawing_happens_on_the_render_thread_alone(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    drawn(view, turns)
    name = view.client.ask(lambda _: threading.current_thread().name).result(10)
    assert name == "brickfield-render"
    assert threading.current_thread().name != name


def test_a_change_of_a_layer_asks_for_one_picture(make_live, memory_scene, turns, box):
    view = make_live()
    port = add(memory_scene, box, contrast=(0, 255))
    before = drawn(view, turns)
    port.contrast = (0, 400)
    after = drawn(view, turns)
    assert before.image[30, 40, 0] == 200
    assert after.image[30, 40, 0] == round(255 * 200 / 400)


def test_the_camera_stays_when_a_layer_moves(make_live, memory_scene, turns, box):
    view = make_live()
    port = memory_scene.add(box)
    drawn(view, turns)
    camera = view.camera
    from brickfield.model import AffineTransform

    port.data.world = AffineTransform.from_scale((1, 1, 1), (0, 0, 30))
    drawn(view, turns)
    assert view.camera == camera


def test_a_view_that_nobody_turned_fits_what_is_added(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    first = view.camera
    memory_scene.add(np.zeros((64, 64, 256), np.uint8))
    assert view.camera != first
    view.navigate(lambda c: navigation.orbit(c, 10, 0))
    turned = view.camera
    memory_scene.add(np.zeros((64, 512, 256), np.uint8))
    assert view.camera == turned


def test_a_view_that_nobody_turned_fits_into_another_size(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    view.resize((20, 60))
    image = drawn(view, turns).image
    assert not image[:, [0, -1], :3].any(), "black on both sides"
    assert image[:, 10, :3].any()


def test_movement_is_drawn_with_fewer_pixels_where_the_device_is_slow(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    drawn(view, turns)
    view.client.ask(
        lambda drawer: setattr(drawer._painter.speed, "full_ms", 10_000.0)
    ).result(10)
    view.navigate(lambda c: navigation.orbit(c, 10, 0))
    assert turns.run_until(lambda: view.report.is_moving)
    scale = view.client.ask(lambda d: d.view.renderer.pixel_scale).result(10)
    assert scale == 0.25
    drawn(view, turns)
    assert view.client.ask(lambda d: d.view.renderer.pixel_scale).result(10) == 1.0


def test_two_views_of_one_layer_have_bricks_of_their_own_and_share_the_cache(
    make_live, memory_scene, turns, box
):
    port = memory_scene.add(box)
    one, two = make_live(), make_live("xy")
    drawn(one, turns)
    read = port.data.store.manager.counters.requests
    drawn(two, turns)
    assert port.data.store.manager.counters.requests == read
    assert one.report.gpu_bytes > 0
    assert two.report.gpu_bytes > 0


def test_a_slice_shows_the_array_at_the_cross_hair(make_live, memory_scene, turns, box):
    box += np.arange(64, dtype=np.uint8)[:, None, None]
    add(memory_scene, box, contrast=(0, 255), interpolation="nearest")
    view = make_live("xy")
    memory_scene.move_cross_hair((33.0, 5.0, 5.0))
    image = drawn(view, turns).image
    assert image[30, 40, 0] == 233
    memory_scene.move_cross_hair((34.0, 5.0, 5.0))
    assert drawn(view, turns).image[30, 40, 0] == 234


def test_scrolling_a_slice_moves_the_cross_hair_by_voxels(make_live, memory_scene, box):
    memory_scene.add(box)
    view = make_live("xz")
    memory_scene.move_cross_hair((3.0, 10.0, 3.0))
    view.slice.scroll(2)
    assert memory_scene.cross_hair == (3.0, 12.0, 3.0)


def test_overlays_are_the_view_s_own_and_change_no_layer(
    make_live, memory_scene, turns, box
):
    port = memory_scene.add(box)
    one, two = make_live(), make_live()
    plain = drawn(one, turns).image
    drawn(two, turns)
    layer = port.data
    before = [
        v.value
        for v in (layer.data_version, layer.colormap_version, layer.geometry_version)
    ]
    one.set_overlay_options("bounding_box", visible=True)
    assert not np.array_equal(drawn(one, turns).image, plain)
    after = [
        v.value
        for v in (layer.data_version, layer.colormap_version, layer.geometry_version)
    ]
    assert after == before
    assert not two.overlay_options("bounding_box").visible
    with pytest.raises(OptionError, match="scale_bar"):
        one.set_overlay_options("scalebar", visible=True)


def test_the_mode_of_a_view_is_written_to_every_image(make_live, memory_scene, box):
    a = memory_scene.add(box)
    b = memory_scene.add(box)
    view = make_live()
    view.mode = "iso"
    assert (a.mode, b.mode, view.mode) == ("iso", "iso", "iso")
    with pytest.raises(ValueError, match="attenuated_mip"):
        view.mode = "xray"


def test_the_receipt_says_what_the_picture_cost(make_live, memory_scene, turns, box):
    memory_scene.add(box)
    view = make_live()
    drawn(view, turns)
    receipt = view.receipt
    assert receipt.complete
    assert receipt.fidelity == view.fidelity == "final"
    assert receipt.pixels["at_target"] == 1.0
    assert receipt.chunks["failed"] == 0


def test_a_screenshot_is_complete_and_as_large_as_the_view(
    make_live, memory_scene, box, tmp_path
):
    add(memory_scene, box, contrast=(0, 255))
    view = make_live(is_shown=False)
    image = view.screenshot(tmp_path / "a.png")
    assert image.shape == (60, 80, 4)
    assert image[30, 40, 0] == 200
    assert (tmp_path / "a.png").stat().st_size > 0


@pytest.mark.parametrize("name", ["zarr.json", "new.png"])
def test_a_screenshot_never_writes_into_what_is_drawn(
    make_live, memory_scene, box, tmp_path, name
):
    folder = write_image(tmp_path / "a.ome.zarr", [box], zarr_format=3)
    before = sorted(folder.rglob("*")), (folder / "zarr.json").read_bytes()
    memory_scene.add(str(folder))
    view = make_live(is_shown=False)
    with pytest.raises(OptionError):
        view.screenshot(folder / name)
    with pytest.raises(OptionError):
        view.screenshot_later(folder / name)
    assert (sorted(folder.rglob("*")), (folder / "zarr.json").read_bytes()) == before


def test_what_lies_under_a_pixel_is_told_later(make_live, memory_scene, turns, box):
    port = memory_scene.add(box)
    view = make_live("xy")
    memory_scene.move_cross_hair((30.0, 30.0, 30.0))
    drawn(view, turns)
    told = []
    view.picked.connect(told.append)
    view.cursor.hover((40, 30))
    assert turns.run_until(lambda: bool(told))
    assert told[-1].values == (200,)
    assert told[-1].layer is port.data
    view.cursor.hover(None)
    assert told[-1] is None


def test_a_value_that_memory_lost_is_read_again_for_the_cursor(
    make_live, memory_scene, turns, box
):
    memory_scene.add([box, box[::2, ::2, ::2]])
    view = make_live()
    drawn(view, turns)
    seen = []
    view.picked.connect(seen.append)
    default_cache().clear()
    view.cursor.hover((40, 30))
    assert turns.run_until(lambda: len(seen) == 2)
    assert [info.values for info in seen] == [(None,), (200,)]
    assert readout(seen[0], memory_scene.layers)[0].startswith("reading…")
    assert readout(seen[1], memory_scene.layers)[0].startswith("200 at")


def test_a_device_that_cannot_be_had_becomes_a_sentence(
    make_live, memory_scene, turns, box, monkeypatch
):
    from brickfield.errors import AdapterError
    from brickfield.viewer.live.drawing import drawer as live_drawer

    def refuse():
        raise AdapterError("expected a driver; found none")

    monkeypatch.setattr(live_drawer, "get_device", refuse)
    view = make_live()
    memory_scene.add(box)
    assert turns.run_until(lambda: bool(view.report.error))
    assert view.report.error == "expected a driver; found none"


def test_a_closed_view_lets_go_of_layers_and_gpu(make_live, memory_scene, turns, box):
    port = memory_scene.add(box)
    view = make_live()
    drawn(view, turns)
    view.close().result(10)
    assert not port.data.render_callbacks
    assert view.close() is None
    port.contrast = (0, 10)
    turns.run()


def test_a_played_series_reads_ahead_and_tells_what_is_at_hand(
    make_live, memory_scene, turns
):
    series = np.zeros((6, 32, 32, 32), np.uint8)
    series += np.arange(10, 70, 10, dtype=np.uint8)[:, None, None, None]
    add(memory_scene, series, contrast=(0, 255))
    view = make_live()
    drawn(view, turns)
    (axis,) = memory_scene.axes
    view.client.watch_axis(axis, is_playing=True, n_ahead=2)
    wanted = (True, True, True, False, False, False)
    assert turns.run_until(lambda: view.report.at_hand == wanted), view.report.at_hand
    view.client.watch_axis(None)


def test_an_oblique_plane_turns_about_the_cross_hair(
    make_live, memory_scene, turns, box
):
    memory_scene.add(box)
    view = make_live("plane")
    memory_scene.move_cross_hair((30.0, 30.0, 30.0))
    before = view.plane
    view.slice.tilt(10, 5)
    after = view.plane
    assert after.point == before.point
    assert 0 < np.dot(after.normal, before.normal) < 0.999
    np.testing.assert_allclose(view.camera.forward, after.normal, atol=1e-12)
    assert drawn(view, turns).image[..., :3].any()


def test_a_slice_across_an_axis_cannot_be_tilted(make_live, memory_scene, box):
    memory_scene.add(box)
    view = make_live("xy")
    view.slice.tilt(10, 5)
    assert view.normal == (1.0, 0.0, 0.0)


def test_a_volume_view_has_no_plane_and_says_where_there_is_one(make_live):
    view = make_live()
    assert view.slice is None
    with pytest.raises(OptionError, match=r'open_views\(viewer, "plane"\)'):
        _ = view.plane
    with pytest.raises(OptionError, match="expected a slice view"):
        view.normal = (1.0, 0.0, 0.0)


def test_the_names_of_a_slice_view_are_those_of_its_plane(make_live, memory_scene, box):
    view = make_live("plane")
    memory_scene.add(box)
    view.normal = (1.0, -0.6, 0.4)
    assert view.slice.normal == view.plane.normal == view.normal
    view.angles = (35.0, -56.0)
    assert view.slice.angles == pytest.approx((35.0, -56.0))
    view.position = (20.0, 21.0, 22.0)
    assert view.slice.position == memory_scene.cross_hair == (20.0, 21.0, 22.0)


def test_an_unknown_kind_of_view_is_refused_with_the_known_ones(memory_scene, turns):
    with pytest.raises(OptionError, match="3D, xy, xz, yz, plane; found 'zx'"):
        LiveView("zx", memory_scene, turns)
