"""Layers are laid over each other as napari lays them, in displayed values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pygfx as gfx
import pytest

from brickfield.loading import default_cache
from brickfield.model import AffineTransform, Plane
from brickfield.model.appearance import (
    BLENDINGS,
    Appearance,
    ChannelAppearance,
    color_lut,
)
from brickfield.store import ChunkedLayer, open_store

pytestmark = pytest.mark.gpu
SIZE = (40, 30)
GRAY = (0.3, 0.25, 0.2)


def ramp_lut(alpha_from=255):
    """Blue to yellow; more opaque towards yellow."""
    up = np.arange(256)
    alpha = np.linspace(alpha_from, 255, 256)
    return np.stack([up, up, 255 - up, alpha], axis=1).astype(np.uint8)


@pytest.fixture
def images():
    """Two thin stacks of noise, shape (2, 30, 40)."""
    rng = np.random.default_rng(4)
    return [rng.integers(0, 256, (2, *SIZE[::-1]), dtype=np.uint8) for _ in range(2)]


@pytest.fixture
def layer_from():
    """Makes layers; closes their stores."""
    default_cache().clear()
    stores = []

    def make(data, lut=None, *, opacity=1.0, **look):
        stores.append(open_store(data))
        lut = color_lut((255, 255, 255)) if lut is None else lut
        channel = ChannelAppearance(contrast=(0.0, 255.0), lut=lut, opacity=opacity)
        return ChunkedLayer(stores[-1], Appearance(channels=(channel,), **look))

    yield make
    for store in stores:
        store.close()


def picture(view):
    assert view.wait_until_complete(60)
    return view.image()[..., :3].astype(float)


def color_of(image, lut, opacity):
    """Colours 0 to 1 and opacities of a projection."""
    shown = lut[image.max(axis=0)] / 255.0
    return shown[..., :3], shown[..., 3:] * opacity


def expected(kind, behind, rgb, a):
    """What napari's blend states compute, on values 0 to 1."""
    return {
        "opaque": rgb + 0 * behind,
        "translucent": rgb * a + behind * (1 - a),
        "translucent_no_depth": rgb * a + behind * (1 - a),
        "additive": np.minimum(rgb * a + behind, 1),
        "minimum": np.minimum(rgb, behind),
        "multiplicative": rgb * behind,
    }[kind]


@pytest.mark.parametrize("kind", BLENDINGS)
def test_a_second_layer_is_blended_as_displayed_values(
    make_view, layer_from, images, kind
):
    lut = ramp_lut()
    # The second one lies nearer, so that no depth hides it.
    low = layer_from(images[0])
    high = layer_from(images[1], lut, opacity=0.6, blending=kind)
    high.world = AffineTransform.from_scale((1, 1, 1), (-10.0, 0, 0))
    view = make_view(low, high, size=SIZE, camera="ortho:z", background=GRAY)
    behind = np.repeat(images[0].max(axis=0)[..., None], 3, axis=2) / 255.0
    wanted = expected(kind, behind, *color_of(images[1], lut, 0.6))
    assert np.abs(picture(view) - 255 * wanted).max() <= 1


@pytest.mark.parametrize("kind", BLENDINGS)
def test_the_lowest_layer_has_only_the_background_behind_it(
    make_view, layer_from, images, kind
):
    lut = ramp_lut(alpha_from=100)
    rgb, a = color_of(images[0], lut, 0.5)
    wanted = rgb * a + np.array(GRAY) * (1 - a)
    wanted = {"additive": rgb * a, "minimum": rgb}.get(kind, wanted)
    one = layer_from(images[0], lut, opacity=0.5, blending=kind)
    view = make_view(one, size=SIZE, camera="ortho:z", background=GRAY)
    alone = picture(view)
    assert np.abs(alone - 255 * wanted).max() <= 1
    # Nor does a layer count that is not visible, wherever it stands.
    hidden = layer_from(images[1])
    hidden.visible = False
    view.set_layers([hidden, one])
    assert np.abs(picture(view) - alone).max() <= 1


def test_three_channels_as_layers_add_up(make_view, layer_from):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (3, 2, *SIZE[::-1]), dtype=np.uint8)
    colors = np.eye(3, dtype=int) * 255
    layers = [
        layer_from(d, color_lut(tuple(c)), blending="additive")
        for d, c in zip(data, colors.tolist(), strict=True)
    ]
    image = picture(make_view(*layers, size=SIZE, camera="ortho:z"))
    np.testing.assert_array_equal(image, np.moveaxis(data.max(axis=1), 0, -1))


@pytest.mark.parametrize("kind", BLENDINGS)
def test_depth_hides_opaque_and_translucent_layers_alone(make_view, layer_from, kind):
    near, far = np.full((2, 30, 40), 200, np.uint8), np.full((2, 30, 40), 100, np.uint8)
    low, high = layer_from(near), layer_from(far, blending=kind)
    high.world = AffineTransform.from_scale((1, 1, 1), (20.0, 0, 0))
    image = picture(make_view(low, high, size=SIZE, camera="ortho:z"))
    seen = expected(kind, np.float64(200 / 255), np.float64(100 / 255), 1.0)
    is_hidden = kind in ("opaque", "translucent")
    assert np.abs(image - (200 if is_hidden else np.round(255 * seen))).max() <= 1


def test_layers_that_write_no_depth_hide_nothing(make_view, layer_from):
    near, far = np.full((2, 30, 40), 200, np.uint8), np.full((2, 30, 40), 100, np.uint8)
    low = layer_from(near, blending="translucent_no_depth")
    high = layer_from(far)
    high.world = AffineTransform.from_scale((1, 1, 1), (20.0, 0, 0))
    image = picture(make_view(low, high, size=SIZE, camera="ortho:z"))
    assert (image == 100).all()


def test_slices_in_one_plane_do_not_hide_each_other(make_view, layer_from, images):
    low, high = layer_from(images[0]), layer_from(images[1], opacity=0.5)
    view = make_view(low, high, size=SIZE, camera="ortho:z")
    view.plane = Plane.across(0, 1.0)
    behind, front = (im[1].astype(float)[..., None] for im in images)
    assert np.abs(picture(view) - (behind + front) / 2).max() <= 1


def test_a_layer_is_seen_where_the_one_above_it_is_clear(make_view, layer_from, images):
    """Colormaps with opacity 0 for what is dark, as an opacity curve gives."""
    lut = color_lut((255, 0, 0))
    lut[:128, 3] = 0
    low = layer_from(images[0])
    high = layer_from(images[1], lut, blending="translucent_no_depth")
    image = picture(make_view(low, high, size=SIZE, camera="ortho:z"))
    is_clear = images[1].max(axis=0) < 128
    assert is_clear.any()
    behind = np.repeat(images[0].max(axis=0)[..., None], 3, axis=2)
    assert (image[is_clear] == behind[is_clear]).all()
    assert not image[~is_clear][:, 1:].any()


def test_labels_lie_over_an_image_and_their_background_is_clear(
    make_view, layer_from, images
):
    labels = np.zeros((2, *SIZE[::-1]), np.uint16)
    labels[:, 10:20, 10:30] = 7
    low = layer_from(images[0], blending="translucent_no_depth")
    high = layer_from(labels, is_labels=True, opacity=0.5)
    alone = picture(make_view(layer_from(labels, is_labels=True), size=SIZE))
    view = make_view(low, high, size=SIZE, camera="ortho:z")
    image, color = picture(view), alone.reshape(-1, 3).max(axis=0)
    gray = np.repeat(images[0].max(axis=0)[..., None], 3, axis=2).astype(float)
    inside = labels[0] > 0
    assert (image[~inside] == gray[~inside]).all()
    assert np.abs(image[inside] - (gray[inside] + color) / 2).max() <= 2


@pytest.mark.parametrize("kind", ["translucent", "additive"])
def test_a_layer_above_opaque_objects_is_combined_with_them(
    make_view, layer_from, kind
):
    data = np.full((2, 30, 40), 51, np.uint8)
    layer = layer_from(data, opacity=0.5, blending=kind)
    view = make_view(layer, size=SIZE, camera="ortho:z", background=GRAY)
    mesh = gfx.Mesh(gfx.box_geometry(20, 30, 0.1), gfx.MeshBasicMaterial(color="red"))
    mesh.local.position = (9.5, 14.5, 10.0)
    view.objects.add(mesh)
    image = picture(view)
    before = np.zeros((30, 40, 3)) + np.array(GRAY)
    before[:, :20] = (1, 0, 0)
    if kind == "translucent":
        # The square is one more thing on the ray, of which the maximum is taken.
        on_ray = np.where(before == np.array(GRAY), 0.2, np.maximum(before, 0.2))
        wanted = 0.5 * on_ray + 0.5 * before
    else:
        # Onto the square; where there is nothing it is the lowest.
        wanted = np.where(before == before[0, 0], np.minimum(before + 0.1, 1), 0.1)
    assert np.abs(image[2:-2, 1:19] - 255 * wanted[2:-2, 1:19]).max() <= 1
    assert np.abs(image[2:-2, 21:] - 255 * wanted[2:-2, 21:]).max() <= 1
    classes = view.classes()
    assert set(np.unique(classes)) == {1}, "an object's colour is no class of pixels"


def test_one_layer_alone_needs_no_copies(make_view, layer_from, images, monkeypatch):
    from brickfield.rendering import compositing

    taken = []
    copy = compositing.TargetCopy.copy
    monkeypatch.setattr(
        compositing.TargetCopy, "copy", lambda *args: taken.append(args) or copy(*args)
    )
    layer = layer_from(images[0])
    view = make_view(layer, size=SIZE, camera="ortho:z")
    picture(view)
    assert not taken
    layer.appearance = replace(layer.appearance, blending="additive")
    picture(view)
    assert not taken


def test_the_worst_of_the_layers_is_what_a_pixel_counts_as(make_view, layer_from):
    rng = np.random.default_rng(0)
    layers = [
        layer_from(rng.integers(0, 255, (8, 30, 40), dtype=np.uint8)) for _ in range(2)
    ]
    view = make_view(*layers, size=SIZE, camera="ortho:z")
    picture(view)
    assert set(np.unique(view.classes())) == {1}
    second = view.manager.renderers[1]
    second.bricks.forget_all()
    assert set(np.unique(view.classes())) == {3}


def test_showing_hiding_and_blending_layers_builds_no_pipeline(
    make_view, layer_from, images, monkeypatch
):
    from pygfx.renderers.wgpu.engine import pipeline

    layers = [layer_from(im) for im in images]
    view = make_view(*layers, size=SIZE, camera="ortho:z")
    picture(view)
    built = []
    build = pipeline.get_cached_render_pipeline
    monkeypatch.setattr(
        pipeline,
        "get_cached_render_pipeline",
        lambda *args: built.append(args) or build(*args),
    )
    for layer in layers:
        for visible in (False, True):
            layer.visible = visible
            picture(view)
    for kind in BLENDINGS:
        layers[1].appearance = replace(layers[1].appearance, blending=kind)
        picture(view)
    assert not built
