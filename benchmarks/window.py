"""E23: what it takes to bring a picture from the device to the window.

A picture is drawn, read back once, made a pixmap as the dock does it, and painted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter

from benchmarks.clock import median
from benchmarks.frames import dense
from benchmarks.rows import Row, Setting, at_most
from benchmarks.scenes import layer_of, orbit, own_cache, view_of
from brickfield.model import CameraState
from brickfield.rendering import OffscreenView
from brickfield.sources import open_source

SIZES = ((800, 600), (1280, 720), (1920, 1080), (3840, 2160))
LARGE = 2_000_000
"""Pixels from which a picture takes seconds without a GPU."""
Parts = tuple[float, float, float]


def window_share(setting: Setting) -> list[Row]:
    """E23."""
    rows, data = [], dense()
    layer = layer_of(own_cache(open_source(data)), (0, 255), relative_step=1.0)
    with view_of(layer, SIZES[0]) as view:
        for size in SIZES:
            view.resize(size)
            n = 2 if size[0] * size[1] > LARGE and not setting.is_full else 5

            def camera(i: int, size: tuple[int, int] = size) -> CameraState:
                return orbit(data.shape, size, distance=1.4, angle=0.5 + 0.03 * i)

            view.camera = camera(0)
            assert view.wait_until_complete(60)
            rows.append(row_of("E23", size, picture_parts(view, camera, size, n), 0.02))
    return rows


def row_of(goal: str, size: tuple[int, int], parts: list[Parts], limit: float) -> Row:
    """Make the row of one size from the seconds of several pictures.

    Parameters
    ----------
    goal : str
    size : tuple of int
        Width and height, pixels.
    parts : list of tuple of float
        :func:`picture_parts`.
    limit : float
        Largest share of readback and painting.
    """
    draw, back, paint = (1e3 * median(p) for p in zip(*parts, strict=True))
    return at_most(
        goal,
        f"share of readback and painting, {size[0]} × {size[1]}",
        (back + paint) / (draw + back + paint),
        limit,
        repeats=len(parts),
        note=f"drawing {draw:.1f}, readback {back:.2f}, painting {paint:.2f} ms",
    )


def _nothing() -> None:
    """Paint nothing: what was drawn before is read back."""


def picture_parts(
    view: OffscreenView,
    camera: Callable[[int], CameraState],
    size: tuple[int, int],
    n: int,
) -> list[Parts]:
    """Draw pictures of a moving camera and show them.

    Parameters
    ----------
    view : OffscreenView
    camera : callable
        Gives the camera of the picture with a number.
    size : tuple of int
        Width and height, pixels.
    n : int
        Pictures that count; one more comes first, for what has to be compiled.

    Returns
    -------
    list of tuple of float
        Seconds for drawing, reading back and painting of each.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from qtpy.QtGui import QGuiApplication, QImage, QPainter

    from brickfield.qt.view.picture import as_pixmap

    app = QGuiApplication.instance() or QGuiApplication([])
    canvas = QImage(*size, QImage.Format.Format_RGB32)
    parts = []
    for i in range(n + 1):
        view.camera = camera(i)
        start = perf_counter()
        drawing = view.begin()
        drawing.draw_rest()
        view.finish()
        view._fence.wait()
        drawn = perf_counter()
        pixels = view._painted(_nothing)
        read = perf_counter()
        painter = QPainter(canvas)
        painter.drawPixmap(0, 0, as_pixmap(pixels))
        painter.end()
        parts.append((drawn - start, read - drawn, perf_counter() - read))
    del app
    return parts[1:]
