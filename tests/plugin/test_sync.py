"""Every display property of napari's layer controls is seen in the volume view."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from brickfield.camera import OrthoCamera, fit_camera
from brickfield.testing.turns import Turns
from brickfield.viewer.live import LiveView

SIZE = (48, 40)


@pytest.fixture
def volume() -> np.ndarray:
    """Noise from 10 to 200, uint8, (32, 40, 48)."""
    rng = np.random.default_rng(5)
    return rng.integers(10, 200, (32, 40, 48), dtype=np.uint8)


@pytest.fixture
def image(seen, volume: np.ndarray):
    """The volume as a layer, full contrast, seen along z."""
    layer = seen.viewer.add_image(
        volume, contrast_limits=(0, 255), interpolation3d="nearest"
    )
    seen.look()
    return layer


def shown(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(255 * np.clip((values - low) / (high - low), 0, 1)).astype(int)


def test_a_new_layer_is_seen_as_numpy_projects_it(seen, image, volume):
    np.testing.assert_array_equal(seen.gray(), shown(volume.max(0), 0, 255))


def test_other_contrast_limits_are_seen(seen, image, volume):
    image.contrast_limits = (40, 180)
    assert np.abs(seen.gray() - shown(volume.max(0), 40, 180)).max() <= 1


def test_another_gamma_is_seen(seen, image, volume):
    image.gamma = 0.5
    wanted = 255 * (volume.max(0) / 255.0) ** 0.5
    assert np.abs(seen.gray() - wanted).max() <= 1


def test_another_colormap_is_seen(seen, image, volume):
    image.colormap = "magenta"
    picture = seen.picture()
    np.testing.assert_array_equal(picture[..., 0], shown(volume.max(0), 0, 255))
    assert not picture[..., 1].any()


def test_another_opacity_is_seen(seen, image, volume):
    image.opacity = 0.5
    assert np.abs(seen.gray() - 0.5 * volume.max(0)).max() <= 1


@pytest.mark.parametrize(
    ("blending", "oracle"),
    [
        ("translucent_no_depth", lambda below, top: 0.5 * top + 0.5 * below),
        ("additive", lambda below, top: np.minimum(255, below + 0.5 * top)),
        ("minimum", np.minimum),
        ("opaque", lambda below, top: top),
        ("multiplicative", lambda below, top: below * top / 255),
    ],
)
def test_layers_are_blended_as_napari_says(seen, image, volume, blending, oracle):
    top = np.full((32, 40, 48), 120, np.uint8)
    seen.viewer.add_image(top, contrast_limits=(0, 255), blending=blending, opacity=0.5)
    below = volume.max(0).astype(float)
    assert np.abs(seen.gray() - oracle(below, 120.0)).max() <= 1


def test_a_hidden_layer_is_not_seen(seen, image):
    image.visible = False
    assert not seen.gray().any()
    image.visible = True
    assert seen.gray().any()


@pytest.mark.parametrize(
    ("mode", "oracle"),
    [
        ("minip", lambda v: v.min(0)),
        ("average", lambda v: v.mean(0)),
        ("mip", lambda v: v.max(0)),
    ],
)
def test_a_projection_that_is_chosen_is_that_of_numpy(
    seen, image, volume, mode: str, oracle: Callable
):
    image.rendering = mode
    assert np.abs(seen.gray() - oracle(volume.astype(float))).max() <= 1


@pytest.mark.parametrize("mode", ["attenuated_mip", "iso", "translucent", "additive"])
def test_other_modes_that_are_chosen_differ_from_a_maximum(seen, image, mode):
    image.iso_threshold = 100
    before = seen.picture()
    image.rendering = mode
    assert np.abs(seen.picture() - before).max() > 20


def test_another_attenuation_is_seen(seen, image, volume):
    image.rendering = "attenuated_mip"
    image.attenuation = 0.0
    np.testing.assert_allclose(seen.gray(), volume.max(0), atol=1)
    image.attenuation = 2.0
    assert seen.gray().mean() < 0.7 * volume.max(0).mean()


def test_another_iso_threshold_is_seen(seen, image):
    image.rendering = "iso"
    image.iso_threshold = 100
    assert seen.gray().all()
    image.iso_threshold = 250
    assert not seen.gray().any()


def test_another_interpolation_is_seen(seen, image, volume):
    seen.view.camera = fit_camera(
        OrthoCamera("z"),
        seen.view.framing.corners() + np.array([0, 0.25, 0.25]),
        SIZE,
        (32, 40, 48),
    )
    nearest = seen.gray()
    np.testing.assert_array_equal(nearest, volume.max(0))
    image.interpolation2d = "cubic"
    np.testing.assert_array_equal(seen.gray(), nearest)
    image.interpolation3d = "linear"
    assert np.abs(seen.gray() - nearest).max() > 5


@pytest.fixture
def slice_between_voxels(seen, image):
    """A view of the plane z 10.25 beside the volume view, one pixel a voxel."""
    view = LiveView("xy", seen.scene, Turns(), thread=seen.thread)
    view.resize(SIZE)
    view.set_overlay_options("marker", visible=False)
    seen.scene.move_cross_hair((10.25, 20.0, 24.0))
    view.camera = seen.view.camera
    yield view
    view.close()


def test_slices_follow_the_interpolation_of_napari_in_two_dimensions(
    slice_between_voxels, image, volume
):
    """Whatever the interpolation of volumes is; and all of napari's are linear here."""

    def gray():
        return slice_between_voxels.screenshot()[..., 0].astype(int)

    image.interpolation3d, image.interpolation2d = "linear", "nearest"
    np.testing.assert_array_equal(gray(), volume[10])
    for name in ("linear", "cubic"):
        image.interpolation2d = name
        between = 0.75 * volume[10] + 0.25 * volume[11]
        assert np.abs(gray() - between).max() <= 1
    image.interpolation3d = "nearest"
    assert np.abs(gray() - between).max() <= 1


@pytest.mark.parametrize(
    "place",
    [
        {"scale": (2, 0.5, 0.5)},
        {"translate": (3, 7, -9)},
        {"rotate": (10, 20, 30)},
        {"shear": (0.1, 0.2, 0.3)},
        {"affine": [[1, 0, 0, 2], [0, 0, 1, 1], [0, -1, 0, 30], [0, 0, 0, 1]]},
    ],
    ids=lambda place: next(iter(place)),
)
def test_a_layer_is_seen_where_its_transforms_put_it(seen, place):
    data = np.zeros((32, 40, 48), np.uint8)
    at = (12, 24, 20)
    data[at] = 255
    layer = seen.viewer.add_image(data, contrast_limits=(0, 255))
    seen.look()
    for name, value in place.items():
        setattr(layer, name, value)
    gray = seen.gray()
    assert gray.any()
    clip = seen.view.camera.world_to_clip @ [*layer.data_to_world(at), 1.0]
    column = (clip[0] / clip[3] + 1) / 2 * SIZE[0] - 0.5
    row = (1 - clip[1] / clip[3]) / 2 * SIZE[1] - 0.5
    rows, columns = np.indices(gray.shape)
    weight = gray / gray.sum()
    assert abs((rows * weight).sum() - row) < 0.6
    assert abs((columns * weight).sum() - column) < 0.6


def test_clipping_planes_cut_the_volume(seen, image, volume):
    image.experimental_clipping_planes = [
        {"position": (9.5, 0, 0), "normal": (1, 0, 0), "enabled": True},
        {"position": (19.5, 0, 0), "normal": (-1, 0, 0), "enabled": True},
    ]
    np.testing.assert_array_equal(seen.gray(), volume[10:20].max(0))
    image.experimental_clipping_planes[1].position = (29.5, 0, 0)
    np.testing.assert_array_equal(seen.gray(), volume[10:30].max(0))
    image.experimental_clipping_planes[0].enabled = False
    np.testing.assert_array_equal(seen.gray(), volume[:30].max(0))


def test_a_clip_box_becomes_napari_s_planes_and_comes_back(seen, image, volume):
    port = seen.scene.port_of(image)
    port.clip_box = ((4.5, -0.5, -0.5), (14.5, 39.5, 23.5))
    wanted = volume[5:15].max(0)
    wanted[:, 24:] = 0
    np.testing.assert_array_equal(seen.gray(), wanted)
    assert len(image.experimental_clipping_planes) == 6
    assert port.clip_box == ((4.5, -0.5, -0.5), (14.5, 39.5, 23.5))
    image.experimental_clipping_planes = []
    assert port.clip_box is None
    np.testing.assert_array_equal(seen.gray(), volume.max(0))


def test_depiction_as_a_plane_shows_its_thickness(seen, image, volume):
    image.depiction = "plane"
    image.plane.normal = (1, 0, 0)
    image.plane.position = (14.5, 20, 24)
    image.plane.thickness = 10
    np.testing.assert_array_equal(seen.gray(), volume[10:20].max(0))


def test_sliders_choose_time_and_further_axes(seen):
    series = np.zeros((3, 2, 8, 40, 48), np.uint8)
    series += np.array([[10, 20], [30, 40], [50, 60]], np.uint8)[:, :, None, None, None]
    seen.viewer.add_image(series, contrast_limits=(0, 255))
    seen.look()
    for time, place, value in ((0, 0, 10), (2, 0, 50), (2, 1, 60), (1, 1, 40)):
        seen.viewer.dims.current_step = (time, place, 4, 20, 24)
        assert (seen.gray() == value).all(), (time, place)


def test_a_flat_series_has_a_slider_and_no_z(seen, tmp_path):
    from brickfield.plugin.layers.make import open_layers
    from brickfield.testing.zarr_stores import image_attributes, write_image

    series = np.zeros((3, 40, 48), np.uint8)
    series += np.array([10, 20, 30], np.uint8)[:, None, None]
    attributes = image_attributes("tyx", [(1, 1, 1)])
    folder = write_image(tmp_path / "flat.zarr", [series], attributes)
    (layer,) = open_layers(str(folder))
    layer.contrast_limits = (0, 255)
    seen.viewer.add_layer(layer)
    seen.look()
    seen.viewer.dims.current_step = (2, 20, 24)
    assert [a.name for a in seen.scene.axes] == ["t"]
    assert seen.scene.cross_hair == (0.0, 20.0, 24.0)
    assert (seen.gray() == 30).all()


def test_a_layer_with_fewer_axes_stays_while_others_step(seen, image, volume):
    seen.viewer.add_image(
        np.zeros((4, 32, 40, 48), np.uint8), contrast_limits=(0, 255), opacity=0
    )
    seen.viewer.dims.current_step = (2, 3, 3, 3)
    np.testing.assert_array_equal(seen.gray(), volume.max(0))


def test_order_and_removal_of_layers_are_followed(seen, image, volume):
    top = seen.viewer.add_image(
        np.full((32, 40, 48), 90, np.uint8), contrast_limits=(0, 255), blending="opaque"
    )
    assert (seen.gray() == 90).all()
    seen.viewer.layers.move(1, 0)
    assert [p.layer for p in seen.scene.layers] == [top, image]
    seen.viewer.layers.remove(top)
    np.testing.assert_array_equal(seen.gray(), volume.max(0))


def test_other_data_in_a_layer_are_seen(seen, image, volume):
    image.data = volume[::-1] // 2
    np.testing.assert_array_equal(seen.gray(), (volume // 2).max(0))


def test_labels_have_napari_s_colours(seen):
    data = np.zeros((8, 40, 48), np.uint16)
    data[:, :, :24] = 3
    data[:, :20, 24:] = 300
    layer = seen.viewer.add_labels(data, opacity=1.0, rendering="translucent")
    seen.look()
    picture = seen.picture()
    for (row, column), label in (((10, 5), 3), ((10, 40), 300)):
        wanted = np.rint(255 * np.asarray(layer.colormap.map(label)))[:3]
        assert np.abs(picture[row, column] - wanted).max() <= 1
    assert not picture[30, 40].any()


def test_labels_may_have_colours_of_their_own(seen):
    data = np.zeros((8, 40, 48), np.uint8)
    data[:, :, :16], data[:, :, 16:32], data[:, :, 32:] = 3, 4, 5
    layer = seen.viewer.add_labels(data, opacity=1.0, rendering="translucent")
    seen.look()
    from napari.utils.colormaps import DirectLabelColormap

    layer.colormap = DirectLabelColormap(
        color_dict={3: "red", 4: "transparent", None: "blue"}
    )
    picture = seen.picture()
    assert picture[20, 8].tolist() == [255, 0, 0]
    assert picture[20, 24].tolist() == [0, 0, 0]
    assert picture[20, 40].tolist() == [0, 0, 255]


def test_only_the_selected_label_can_be_shown(seen):
    data = np.zeros((8, 40, 48), np.uint16)
    data[:, :, :24], data[:, :, 24:] = 3, 7
    layer = seen.viewer.add_labels(data, opacity=1.0, rendering="translucent")
    seen.look()
    layer.selected_label = 7
    layer.show_selected_label = True
    picture = seen.picture()
    assert not picture[:, :24].any()
    assert picture[:, 24:].any(axis=2).all()


def test_a_painted_label_is_seen(seen):
    layer = seen.viewer.add_labels(
        np.zeros((8, 40, 48), np.uint8), opacity=1.0, rendering="translucent"
    )
    seen.look()
    assert not seen.picture().any()
    layer.data_setitem(np.nonzero(np.indices((8, 40, 48)).max(0) < 20), 5)
    assert seen.picture()[10, 10].any()


def test_an_rgb_image_has_its_colours(seen):
    photo = np.zeros((40, 48, 3), np.uint8)
    photo[:, :24] = (200, 100, 50)
    photo[:, 24:] = (10, 20, 240)
    seen.viewer.add_image(photo, rgb=True)
    seen.look()
    picture = seen.picture()
    assert picture[20, 10].tolist() == [200, 100, 50]
    assert picture[20, 40].tolist() == [10, 20, 240]


def test_a_layer_that_cannot_be_drawn_is_named_with_the_reason(seen):
    seen.viewer.add_image(np.zeros((8, 8, 8), np.uint8), name="good")
    many = [np.zeros((30 - i,) * 3, np.uint8) for i in range(17)]
    seen.viewer.add_image(many, multiscale=True, name="too deep")
    assert [port.name for port in seen.scene.layers] == ["good"]
    assert "16" in seen.scene.refused["too deep"]


def test_no_event_of_a_removed_layer_reaches_the_scene(seen, image):
    port = seen.scene.port_of(image)
    told = []
    port.changed.connect(told.append)
    seen.viewer.layers.remove(image)
    image.gamma = 2.0
    image.scale = (2, 2, 2)
    image.visible = False
    image.experimental_clipping_planes = [{"position": (1, 1, 1), "normal": (1, 0, 0)}]
    assert not told
