"""What a movie is made of: its size, what it depends on, what came of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.export import MovieResult
from brickfield.viewer.live import ScenePort

SIZES: dict[str, tuple[int, int] | None] = {
    "As the view": None,
    "1280 × 720": (1280, 720),
    "1920 × 1080": (1920, 1080),
    "3840 × 2160": (3840, 2160),
    "1080 × 1080": (1080, 1080),
}
"""Sizes of a movie, physical pixels; None takes the view's."""


def movie_size(
    frame: ViewFrame, wanted: tuple[int, int] | None
) -> tuple[tuple[int, int], float]:
    """Return the size of a movie in logical pixels, and its pixel ratio.

    Overlays are about as large beside the data as in the view.

    Parameters
    ----------
    frame : ViewFrame
        The view that is recorded.
    wanted : tuple of int or None
        Width and height, physical pixels; None for those of the view.
    """
    picture = frame.picture
    seen = (picture.width(), picture.height())
    if wanted is None:
        return seen, float(picture.devicePixelRatioF())
    width, height = wanted
    ratio = max(1, round(height / max(seen[1], 1)))
    while width % ratio or height % ratio:
        ratio -= 1
    return (width // ratio, height // ratio), float(ratio)


def looks_of(scene: ScenePort) -> str:
    """Return a text that is another one when the layers look otherwise."""

    def plain(value: Any) -> str:
        has_bytes = hasattr(value, "tobytes")
        return hashlib.sha256(value.tobytes()).hexdigest() if has_bytes else repr(value)

    layers = []
    for port in scene.layers:
        look = port.data.appearance
        parts = [
            port.data.store.source.source_id,
            port.visible,
            port.data.selections,
            port.data.world.matrix,
            port.lut,
            *(getattr(look, name) for name in ("mode", "interpolation", "attenuation")),
            *(port.contrast, port.gamma, port.opacity, port.blending),
            *(port.iso_threshold, port.clip_box),
        ]
        layers.append([plain(part) for part in parts])
    return json.dumps(layers)


def outcome(
    result: MovieResult | None, error: Exception | None, progress: tuple[int, int]
) -> str:
    """Say in a sentence what came of a recording.

    Parameters
    ----------
    result : MovieResult or None
    error : Exception or None
        What ended it.
    progress : tuple of int
        Frames on disk, and all there should be.
    """
    if error is not None:
        # Ours are sentences; others may be a number or nothing.
        says = str(error) if isinstance(error, BrickfieldError) else repr(error)
        return f"no movie: {says}"
    if result is None or result.is_cancelled:
        n_done, n = progress
        return f"stopped at frame {n_done} of {n}; recording it again goes on there"
    text = f"movie saved: {result.mp4 or result.folder}"
    if result.n_incomplete:
        text += f", {result.n_incomplete} of {result.n_frames} frames incomplete"
    return f"{text}. {result.problem}" if result.problem else text
