"""A preview moves the camera along its way and brings it home."""

import pytest

from brickfield.camera import navigation, turntable
from brickfield.qt.movie.preview import Preview


@pytest.fixture
def player(qtbot):
    player = Preview()
    player.n_ended = 0

    def count():
        player.n_ended += 1

    player.ended.connect(count)
    return player


def test_it_comes_home_at_the_end(player, dock, hand):
    hand.settle(dock)
    view = dock.main_view
    home, seen = view.camera, []
    view.camera_changed.connect(lambda: seen.append(view.camera))
    player.play(view, turntable(home, 4), 20.0)
    assert player.is_playing
    hand.wait(lambda: not player.is_playing)
    assert view.camera == home
    assert len(set(seen)) > 1
    assert player.n_ended == 1


def test_stopping_brings_it_home_too(player, dock, hand):
    hand.settle(dock)
    view = dock.main_view
    home = view.camera
    player.play(view, turntable(home, 1000)[500:], 10.0)
    assert view.camera != home
    player.stop()
    assert view.camera == home
    assert player.n_ended == 1


def test_a_hand_on_the_view_takes_over(player, dock, hand):
    hand.settle(dock)
    view = dock.main_view
    player.play(view, turntable(view.camera, 1000), 10.0)
    view.navigate(lambda camera: navigation.orbit(camera, 50, 5))
    turned = view.camera
    hand.wait(lambda: not player.is_playing)
    assert view.camera == turned


def test_a_view_that_was_closed_ends_it(player, dock, hand):
    hand.settle(dock)
    player.play(dock.main_view, turntable(dock.main_view.camera, 1000), 10.0)
    dock.set_layout("xy")
    hand.wait(lambda: not player.is_playing)
