"""Pictures of a mosaic while tiles are moved, and once the hand rests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.store import open_mosaic

RNG = np.random.default_rng(0)
SHAPE = (64, 200, 200)


def arrays():
    return [RNG.integers(0, 250, SHAPE).astype("u1") for _ in range(2)]


def places(x):
    found = [np.eye(4), np.eye(4)]
    found[1][2, 3] = x
    return found


@pytest.fixture
def moving(make_view, layer_of):
    """A finished view of two tiles whose second one begins to move."""
    with open_mosaic(arrays(), places(180), margin=0.5) as mosaic:
        view = make_view(layer_of(mosaic), size=(400, 300), camera="ortho:z")
        assert view.wait_until_complete(60)
        mosaic.begin_move(mosaic.places[1].name)
        yield mosaic, view


def leaf_levels(view):
    (renderer,) = view.manager.renderers
    return set(renderer.plan.levels[renderer.plan.is_leaf].tolist())


def go_to(mosaic, view, x):
    mosaic.put({mosaic.places[1].name: AffineTransform.from_matrix(places(x)[1])})
    assert view.wait_until_complete(60)
    return view.image()


def assert_same(found, expected):
    """Expect one picture, but for where bricks lie in their textures."""
    # Coordinates within a texture are rounded; another place rounds otherwise.
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_moved_tile_is_drawn_coarse_and_follows_each_step(moving, monkeypatch):
    mosaic, view = moving
    monkeypatch.setattr("brickfield.store.tiles.moving.MOST_CHUNKS", 2)
    assert leaf_levels(view) == {0}
    pictures = [go_to(mosaic, view, x) for x in (190, 200, 210)]
    assert max(leaf_levels(view)) > 0
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])


def test_at_rest_the_picture_is_that_of_tiles_that_always_were_there(
    moving, make_view, layer_of
):
    mosaic, view = moving
    for x in (190, 210, 230):
        go_to(mosaic, view, x)
    mosaic.end_move()
    assert view.wait_until_complete(60)
    found = view.image()
    assert leaf_levels(view) == {0}
    other = make_view(layer_of(mosaic), size=(400, 300), camera="ortho:z")
    assert other.wait_until_complete(60)
    assert_same(found, other.image())


@pytest.mark.parametrize("x", [-260, 700])
def test_the_picture_follows_a_tile_out_of_the_mosaic_s_box(
    moving, make_view, layer_of, x
):
    mosaic, view = moving
    mosaic.end_move()
    found = go_to(mosaic, view, x)
    assert found.any()
    again = make_view(layer_of(mosaic), size=(400, 300), camera="ortho:z")
    again.camera = view.camera
    assert again.wait_until_complete(60)
    assert_same(found, again.image())


def test_nothing_is_read_for_a_move_but_the_level_that_it_is_shown_at(
    make_view, layer_of, monkeypatch
):
    """Else the memory that the coarse region gives back would be filled at once."""
    monkeypatch.setattr("brickfield.store.tiles.moving.MOST_CHUNKS", 2)
    read = []
    with open_mosaic(arrays(), places(180), margin=0.5) as mosaic:
        make = mosaic.source.read_storage_chunk

        def noted(level, index):
            read.append(level)
            return make(level, index)

        mosaic.source.read_storage_chunk = noted
        view = make_view(layer_of(mosaic), size=(400, 300), camera="ortho:z")
        view.manager.gpu_budget = 6 << 20
        assert view.wait_until_complete(60)
        assert leaf_levels(view) == {0, 1}
        read.clear()
        mosaic.begin_move(mosaic.places[1].name)
        go_to(mosaic, view, 190)
        assert set(read) == {mosaic.stays_coarse.level}


def test_another_camera_refines_what_it_sees_while_a_tile_is_in_a_hand(moving):
    mosaic, view = moving
    view.camera = replace(view.camera, height=view.camera.height * 40)
    assert view.wait_until_complete(60)
    assert 0 not in leaf_levels(view)
    view.camera = replace(view.camera, height=view.camera.height / 40)
    go_to(mosaic, view, 190)
    assert 0 in leaf_levels(view)
