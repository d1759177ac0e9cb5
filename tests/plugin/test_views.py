"""The names for scripts and napari's console, in a real napari window."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import BrickfieldError, OptionError, StoreNotFoundError
from brickfield.plugin.layers.make import open_layers
from brickfield.testing.zarr_stores import write_image

pytestmark = pytest.mark.napari


@pytest.fixture
def stored(tmp_path):
    """A box of 200 in zeros, one channel, two levels."""
    data = np.zeros((32, 64, 64), np.uint8)
    data[8:24, 16:48, 16:48] = 200
    return str(write_image(tmp_path / "box.ome.zarr", [data, data[::2, ::2, ::2]]))


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=True, strict_qt="raise")


def test_opening_a_volume_adds_layers_and_the_dock(viewer, stored, qtbot):
    (layer,) = bf.open_volume(stored, viewer)
    assert layer in viewer.layers
    view = bf.view_of(viewer)
    qtbot.waitUntil(lambda: view.is_settled, timeout=30_000)
    assert view.report.image[..., :3].max() > 100
    assert bf.store_of(layer).pyramid.levels[0].shape_zyx == (32, 64, 64)
    np.testing.assert_array_equal(np.asarray(layer.data[0])[8, 16:48, 16:48], 200)


def test_asking_for_the_view_opens_it_once(viewer, stored):
    assert bf.views_of(viewer) == []
    view = bf.view_of(viewer)
    assert bf.view_of(viewer) is view
    assert bf.views_of(viewer) == [view]
    assert view.kind == "3D"


def test_the_view_s_mode_is_napari_s_rendering_and_follows_it(viewer, stored):
    (layer,) = bf.open_volume(stored, viewer)
    view = bf.view_of(viewer)
    view.mode = "iso"
    assert layer.rendering == "iso"
    layer.rendering = "average"
    assert view.mode == "average"
    with pytest.raises(ValueError, match="attenuated_mip"):
        view.mode = "x-ray"


def test_four_views_share_the_dock_and_the_volume_view_is_first(viewer, stored, qtbot):
    bf.open_volume(stored, viewer)
    views = bf.open_views(viewer, layout="2x2")
    assert [v.kind for v in views] == ["3D", "xy", "yz", "xz"]
    assert bf.views_of(viewer) == views
    for view in views:
        qtbot.waitUntil(lambda v=view: v.is_settled, timeout=30_000)
        assert view.receipt.complete
    one = bf.open_views(viewer, layout="xz")
    assert [v.kind for v in one] == ["xz"]
    with pytest.raises(OptionError, match="2x2"):
        bf.open_views(viewer, layout="3x3")


def test_a_screenshot_and_overlays_from_the_console(viewer, stored, tmp_path, qtbot):
    bf.open_volume(stored, viewer)
    view = bf.view_of(viewer)
    qtbot.waitUntil(lambda: view.is_settled, timeout=30_000)
    view.set_overlay_options("scale_bar", visible=False)
    view.set_overlay_options("axes", visible=False)
    plain = view.screenshot(tmp_path / "a.png")
    view.set_overlay_options("scale_bar", visible=True)
    assert not np.array_equal(view.screenshot(), plain)
    assert (tmp_path / "a.png").exists()


def test_the_scene_comes_back_with_its_views(viewer, stored):
    bf.open_volume(stored, viewer)
    view = bf.open_views(viewer, layout="2x2")[0]
    view.quality = 2.0
    viewer.dims.set_point([0, 1, 2], [10.0, 20.0, 30.0])
    state = bf.get_state(viewer)
    assert state.views.layout == "2x2"
    assert set(state.views.cameras) == {"3D", "xy", "xz", "yz"}
    view.fit()
    bf.open_views(viewer, layout="3D")
    viewer.layers.clear()
    bf.set_state(viewer, state.to_json())
    again = bf.get_state(viewer)
    assert again.to_json() == state.to_json()


def test_a_scene_with_volume_and_plane_comes_back_with_the_plane_where_it_was(
    viewer, stored
):
    """Also where its handle shifted it away from the cross-hair."""
    bf.open_volume(stored, viewer)
    _, plane = bf.open_views(viewer, layout="3D+plane")
    viewer.dims.set_point([0, 1, 2], [10.0, 20.0, 30.0])
    plane.normal = (1.0, 0.4, -0.3)
    plane.slice.put_through((12.5, 21.0, 29.25))
    state = bf.get_state(viewer)
    assert state.views.layout == "3D+plane"
    assert state.exploration.plane.position == (12.5, 21.0, 29.25)
    assert state.exploration.cross_hair == (10.0, 20.0, 30.0)
    plane.angles = (0.0, 0.0)
    bf.open_views(viewer, layout="3D")
    viewer.dims.set_point([0, 1, 2], [1.0, 2.0, 3.0])
    bf.set_state(viewer, state.to_json())
    assert bf.get_state(viewer).to_json() == state.to_json()


def test_a_document_from_before_a_plane_could_leave_the_cross_hair_opens(
    viewer, stored
):
    bf.open_volume(stored, viewer)
    (plane,) = bf.open_views(viewer, layout="plane")
    viewer.dims.set_point([0, 1, 2], [10.0, 20.0, 30.0])
    document = {
        **bf.get_state(viewer).to_dict(),
        "exploration": {
            "cross_hair": [12.0, 22.0, 32.0],
            "plane": {"position": [12.0, 22.0, 32.0], "normal": [0, 0, 1]},
        },
    }
    bf.set_state(viewer, document)
    (plane,) = bf.views_of(viewer)
    assert plane.slice.has_cross_hair
    assert plane.position == (12.0, 22.0, 32.0)
    assert plane.normal == (0.0, 0.0, 1.0)


def test_overlays_and_budgets_leave_the_saved_scene_as_it_is(viewer, stored):
    bf.open_volume(stored, viewer)
    view = bf.view_of(viewer)
    before = bf.get_state(viewer).to_json()
    view.set_overlay_options("bounding_box", visible=True, width=3)
    view.gpu_budget = 200 << 20
    assert bf.get_state(viewer).to_json() == before


def test_a_place_without_data_adds_nothing(viewer, tmp_path):
    with pytest.raises(StoreNotFoundError, match="nothing-here"):
        bf.open_volume(tmp_path / "nothing-here.zarr", viewer)
    assert not viewer.layers


def test_a_layer_of_others_has_no_store(viewer):
    layer = viewer.add_image(np.zeros((8, 8, 8)))
    with pytest.raises(OptionError, match="open_volume"):
        bf.store_of(layer)


def test_a_viewer_without_a_window_is_told_so():
    from napari.components import ViewerModel

    with pytest.raises(BrickfieldError, match="window"):
        bf.view_of(ViewerModel())


def test_the_widget_opens_from_the_plugin_menu_s_name(viewer, stored):
    # Without the dock that opens with a file.
    for layer in open_layers(stored):
        viewer.add_layer(layer)
    assert len(viewer.layers) == 1
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-brickfield", "Orthogonal views"
    )
    assert [v.kind for v in bf.views_of(viewer)] == ["3D", "xy", "yz", "xz"]
    assert widget.main_view is bf.view_of(viewer)
