"""Getting the graphics ready while an image is still being opened."""

from __future__ import annotations

import logging

from brickfield.plugin.window_thread import is_window_thread
from brickfield.rendering import render_thread

logger = logging.getLogger(__name__)


def warm_up() -> None:
    """Load the graphics libraries and find the device, on the render thread.

    Returns at once. What is ready already costs nothing; what goes wrong is said by
    the first view that needs it.
    """
    if is_window_thread():
        render_thread().submit(_prepare)


def _prepare() -> None:
    from brickfield.errors import BrickfieldError
    from brickfield.gpu import get_device

    try:
        get_device()
        from brickfield.viewer.live import LiveDrawer  # noqa: F401 - that is the point
    except (BrickfieldError, ImportError, OSError, RuntimeError) as error:
        logger.debug("the graphics are not ready: %s", error)
