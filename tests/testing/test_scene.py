"""The scene in memory behaves as owners of display state do."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.testing.scene import MemoryScene
from brickfield.viewer.live import LayerPort, ScenePort


@pytest.fixture
def scene():
    scene = MemoryScene()
    yield scene
    scene.close()


def ramp(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)


def test_it_stands_behind_the_protocols(scene):
    """What a type checker sees is what the window gets."""
    as_scene: ScenePort = scene
    as_layer: LayerPort = scene.add(ramp(2, 3, 4))
    assert list(as_scene.layers) == [as_layer]


def test_a_written_value_becomes_the_look_and_is_told_once(scene):
    port = scene.add(ramp(4, 5, 6))
    told: list[str] = []
    port.changed.connect(told.append)
    port.gamma = 0.5
    port.gamma = 0.5
    assert told == ["gamma"]
    assert port.data.appearance.channels[0].gamma == 0.5


def test_an_opacity_curve_is_the_alpha_of_the_colours(scene):
    port = scene.add(ramp(4, 5, 6))
    port.opacity_curve = ((0.0, 0.0), (1.0, 1.0))
    assert port.lut[:, 3].tolist() == list(range(256))


def test_what_cannot_be_used_changes_nothing(scene):
    port = scene.add(ramp(4, 5, 6))
    with pytest.raises(OptionError, match="mode out of"):
        port.mode = "shiny"
    assert port.mode == "mip"


def test_sliders_select_in_every_layer_that_has_their_axis(scene):
    movie = scene.add(ramp(5, 2, 3, 4), axes="tzyx")
    still = scene.add(ramp(2, 3, 4))
    (axis,) = scene.axes
    scene.move_slider(axis.index, 3)
    assert (axis.name, axis.is_time, axis.n_steps) == ("t", True, 5)
    assert movie.data.selections == ((3,),)
    assert still.data.selections == ((),)
    assert scene.axes[0].position == 3


def test_a_layer_knows_its_selection_at_every_step_of_a_slider(scene):
    movie = scene.add(ramp(3, 2, 2, 3, 4), axes="tczyx")
    still = scene.add(ramp(2, 2, 3, 4), axes="czyx")
    scene.move_slider(1, 1)
    assert movie.selections_along(0) == ((0, 1), (1, 1), (2, 1))
    assert still.selections_along(0) == ()
    assert still.selections_along(1) == ((0,), (1,))
