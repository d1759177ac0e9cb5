"""What the volume view cannot follow does not keep napari from doing it."""

from __future__ import annotations

import numpy as np

from brickfield.errors import OptionError
from brickfield.plugin.window_thread import logs_errors


class Named:
    name = "mine"


class Port:
    layer = Named()

    @logs_errors
    def follow(self, value: int) -> None:
        """Follow."""
        if value < 0:
            raise OptionError("expected more; found less")
        self.value = value


def test_a_listener_that_cannot_follow_says_so_in_the_log(caplog):
    port = Port()
    port.follow(3)
    port.follow(-1)
    assert port.value == 3
    assert "cannot follow mine: expected more" in caplog.text
    assert Port.follow.__doc__ == "Follow."


def test_data_of_another_shape_and_with_more_axes_are_followed(seen):
    layer = seen.viewer.add_image(np.zeros((32, 40, 48), np.uint8))
    (before,) = seen.scene.layers
    layer.data = np.full((3, 32, 40, 48), 200, np.uint8)
    layer.contrast_limits = (0, 255)
    (port,) = seen.scene.layers
    assert port is not before
    assert port.data.store.pyramid.levels[0].shape_zyx == (32, 40, 48)
    seen.look()
    assert seen.gray()[20, 24] == 200
    layer.data = np.full((8, 40, 48), 100, np.uint8)
    assert seen.gray()[20, 24] == 100
