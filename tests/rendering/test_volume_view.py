"""Volumes and opaque objects hide each other; several layers share one budget."""

from __future__ import annotations

import numpy as np
import pygfx as gfx
import pytest

from brickfield.loading import default_cache
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.store import open_store


def slab(z: float, color: str) -> gfx.Mesh:
    """A square across the left half of a 60x60 volume, at depth z."""
    mesh = gfx.Mesh(gfx.box_geometry(30, 60, 0.1), gfx.MeshBasicMaterial(color=color))
    mesh.local.position = (14.5, 29.5, z)
    return mesh


@pytest.fixture
def two_sheets() -> np.ndarray:
    """Value 100 at z 10, value 200 at z 40."""
    data = np.zeros((60, 60, 60), np.uint8)
    data[10] = 100
    data[40] = 200
    return data


def test_a_mesh_hides_what_lies_behind_it_and_nothing_else(
    make_view, layer_of, two_sheets
):
    default_cache().clear()
    with open_store(two_sheets) as store:
        view = make_view(layer_of(store), size=(60, 60), camera="ortho:z")
        assert view.wait_until_complete(30)
        free = view.image()[..., 0]
        view.objects.add(slab(25.0, "#0000ff"))
        image = view.image()
    assert (free == 200).all()
    assert (image[:, 35:, 0] == 200).all(), "beside the mesh nothing changes"
    assert (image[5:-5, 2:25, 0] == 100).all(), "the ray ends at the mesh"


def test_enlarging_a_picture_of_fewer_pixels_adds_no_grey_beyond_theirs(
    make_view, layer_of
):
    """A filter with negative weights would put bright rims round bright things."""
    data = np.full((8, 64, 64), 60, np.uint8)
    data[:, 20:44, 20:44] = 180
    with open_store(data) as store:
        view = make_view(layer_of(store), size=(64, 64), camera="ortho:z")
        assert view.wait_until_complete(30)
        for scale in (0.7, 0.5, 0.25):
            view.renderer.pixel_scale = scale
            image = view.image()[..., 0]
            assert (image.min(), image.max()) == (60, 180)


@pytest.mark.parametrize("camera", ["ortho:y", "fit", "orbit:30,40"])
def test_the_unit_of_length_does_not_change_the_picture(
    make_view, layer_of, two_sheets, camera
):
    pictures = []
    for length in (1.0, 1e-12, 1e-18, 1e9):
        scale = (2 * length, length, length)
        with open_store(two_sheets, scale=scale) as store:
            view = make_view(layer_of(store), size=(60, 40), camera=camera)
            assert view.wait_until_complete(30)
            pictures.append(view.image().astype(int))
    assert pictures[0].max() > 0
    for picture in pictures[1:]:
        assert np.abs(picture - pictures[0]).max() <= 1


@pytest.mark.parametrize("mode", ["mip", "average", "iso", "translucent"])
@pytest.mark.parametrize(
    ("dtype", "origin", "unit"),
    [
        ("i4", 2**31 - 300, 1),
        ("u8", 2**52, 1),
        ("f8", 0.0, 1e-200),
        ("f8", 1e200, 1e190),
    ],
)
def test_wide_numbers_in_a_narrow_window_look_as_their_differences_do(
    make_view, layer_of, mode, dtype, origin, unit
):
    steps = np.random.default_rng(3).integers(0, 250, (20, 20, 20))
    pictures = []
    for data, first, size in (
        (steps.astype("u2"), 0.0, 1.0),
        ((origin + steps * unit).astype(dtype), float(origin), float(unit)),
    ):
        window = (first, first + 250 * size)
        channel = ChannelAppearance(window, iso_threshold=first + 100 * size)
        with open_store(data) as store:
            layer = layer_of(store)
            layer.appearance = Appearance(mode=mode, channels=(channel,))
            view = make_view(layer, size=(20, 20), camera="ortho:z")
            assert view.wait_until_complete(30)
            pictures.append(view.image().astype(int))
    assert pictures[0].max() > 100
    assert np.abs(pictures[1] - pictures[0]).max() <= 2


def test_a_window_that_32_bits_cannot_tell_apart_is_drawn_once_it_is_set(
    make_view, layer_of
):
    steps = np.random.default_rng(3).integers(0, 250, (20, 20, 20))
    with open_store((2**31 - 300 + steps).astype("i4")) as store:
        layer = layer_of(store)
        layer.appearance = Appearance(channels=(ChannelAppearance((0.0, 2.0**31)),))
        view = make_view(layer, size=(20, 20), camera="ortho:z")
        assert view.wait_until_complete(30)
        narrow = ChannelAppearance((2.0**31 - 300, 2.0**31 - 50))
        layer.appearance = Appearance(channels=(narrow,))
        assert view.wait_until_complete(30)
        found = view.image()[..., 0].astype(int)
    wanted = np.rint(steps.max(axis=0) * 255 / 250)
    assert np.abs(found - wanted).max() <= 1


def test_a_volume_in_front_hides_a_mesh(make_view, layer_of, two_sheets):
    default_cache().clear()
    with open_store(two_sheets) as store:
        view = make_view(layer_of(store, mode="iso"), size=(60, 60), camera="ortho:z")
        view.objects.add(slab(50.0, "#0000ff"))
        assert view.wait_until_complete(30)
        image = view.image()
    assert not image[..., 2][5:-5, 2:25].astype(int).max() > image[..., 0].max()


def test_two_layers_share_one_budget(make_view, layer_of):
    rng = np.random.default_rng(1)
    default_cache().clear()
    with (
        open_store(rng.integers(0, 255, (200, 200, 200), dtype=np.uint8)) as a,
        open_store(rng.integers(0, 255, (200, 200, 200), dtype=np.uint8)) as b,
    ):
        budget = 40 << 20
        view = make_view(layer_of(a), layer_of(b), gpu_budget=budget)
        assert view.wait_until_complete(60)
        used = [r.bricks.atlas.gpu_bytes for r in view.manager.renderers]
    assert sum(used) <= budget
    assert min(used) > 0


def test_a_layer_taken_away_gives_everything_back(make_view, layer_of, store):
    layer = layer_of(store)
    view = make_view(layer)
    assert view.wait_until_complete(30)
    view.set_layers([])
    assert view.manager.gpu_bytes == 0
    assert not view.image()[..., :3].any()


def test_clip_planes_cut_the_volume(make_view, layer_of, two_sheets):
    default_cache().clear()
    with open_store(two_sheets) as store:
        behind_20 = layer_of(store, clip_box=((-np.inf,) * 3, (20.0, np.inf, np.inf)))
        view = make_view(behind_20, size=(60, 60), camera="ortho:z")
        assert view.wait_until_complete(30)
        assert (view.image()[..., 0] == 100).all()


def test_a_hidden_layer_keeps_its_bricks_only_while_nobody_needs_the_room(
    make_view, layer_of
):
    rng = np.random.default_rng(1)
    default_cache().clear()
    with (
        open_store(rng.integers(0, 255, (200, 200, 200), dtype=np.uint8)) as a,
        open_store(rng.integers(0, 255, (200, 200, 200), dtype=np.uint8)) as b,
    ):
        budget = 14 << 20
        one, two = layer_of(a), layer_of(b)
        view = make_view(one, two, gpu_budget=budget)
        assert view.wait_until_complete(60)
        two.visible = False
        assert view.wait_until_complete(60)
        assert view.manager.gpu_bytes <= budget
        two.visible = True
        assert view.wait_until_complete(60)
        assert view.manager.gpu_bytes <= budget
        assert view.image()[..., 0].any()


def test_a_hidden_layer_is_there_at_once_where_there_is_room(
    make_view, layer_of, store
):
    layer = layer_of(store)
    view = make_view(layer)
    assert view.wait_until_complete(30)
    read = store.manager.counters.requests
    layer.visible = False
    view.update()
    layer.visible = True
    view.update()
    assert view.is_complete
    assert store.manager.counters.requests == read


@pytest.mark.usefixtures("forgetful")
def test_pictures_of_fewer_pixels_are_enlarged_by_one_program(
    make_view, layer_of, store
):
    """Whatever their share of the pixels and the size; as pygfx's own ones enlarge."""
    from pygfx.renderers.wgpu.engine.effectpasses import OutputPass
    from pygfx.renderers.wgpu.engine.utils import gpu_caches

    view = make_view(layer_of(store))
    assert view.wait_until_complete(30)
    programs, n_programs = gpu_caches.full_quad_objects, []
    for size, scale in (((96, 80), 0.5), ((97, 83), 0.35), ((101, 77), 0.7)):
        view.resize(size)
        view.renderer.pixel_scale = scale
        image = view.image()
        n_programs.append(programs.misses)
    assert n_programs[0] > 0
    assert n_programs == n_programs[:1] * 3
    view.renderer._output_pass = OutputPass(filter=view.renderer.pixel_filter)
    np.testing.assert_array_equal(view.image(), image)
    assert programs.misses > n_programs[0]
