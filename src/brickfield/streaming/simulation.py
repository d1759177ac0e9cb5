"""A simulated microscope: frames of moving cells, as fast as is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.streaming.writer import PathLike, StreamWriter

CELL_FRACTION = 0.06
"""Radius of a cell, of the shorter side of a frame."""
N_CELLS = 24
PEAK = 20_000
NOISE = 300
TILE = 509
"""Edge of the noise that is laid over frames, again and again; a prime number."""


@dataclass(frozen=True)
class Microscope:
    """What is simulated.

    Attributes
    ----------
    frames : int
        Camera frames in all: those of every plane, channel and time point.
    size : tuple of int
        Rows and columns.
    planes, channels : int
    fps : float
        Frames a second; 0 for as fast as it goes.
    """

    frames: int = 400
    size: tuple[int, int] = (512, 512)
    planes: int = 16
    channels: int = 1
    fps: float = 30.0

    def __post_init__(self) -> None:
        rows, columns = self.size
        whole = {
            "frames": self.frames,
            "rows": rows,
            "columns": columns,
            "planes": self.planes,
            "channels": self.channels,
        }
        wrong = [f"{n} {name}" for name, n in whole.items() if n < 1]
        if not 0 <= self.fps < np.inf:
            wrong.append(f"{self.fps:g} frames a second")
        if wrong:
            msg = (
                "expected frames, rows, columns, planes and channels of 1 or more, and"
                f" frames a second of 0 or more; found {', '.join(wrong)}"
            )
            raise OptionError(msg)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Of the image: time points without end, channels, planes, rows, columns."""
        return (None, self.channels, self.planes, *self.size)

    def frame(self, number: int) -> NDArray[np.uint16]:
        """Return one frame, shape (rows, columns), uint16.

        Cells are balls that drift along circles; each channel has those of its own.
        """
        stack, plane = divmod(number, self.planes)
        t, channel = divmod(stack, self.channels)
        out = _noise(number, self.size)
        depth = plane / self.planes
        for y, x, z, radius in self._cells(t, channel):
            reach = radius**2 - (z - depth) ** 2
            if reach > 0:
                _draw(out, (y, x), float(np.sqrt(reach)), min(self.size))
        return out

    def _cells(self, t: int, channel: int) -> NDArray[np.float64]:
        """Return y, x, z and radius of every cell, parts of the image's sides."""
        rng = np.random.default_rng(channel)
        homes, phases = rng.random((N_CELLS, 3)), rng.random((N_CELLS, 2)) * 2 * np.pi
        angle = phases[:, 0] + t * 0.15
        y = homes[:, 0] + 0.08 * np.sin(angle)
        x = homes[:, 1] + 0.08 * np.cos(angle)
        z = homes[:, 2] + 0.05 * np.sin(phases[:, 1] + t * 0.1)
        radius = CELL_FRACTION * (0.6 + rng.random(N_CELLS))
        return np.stack([y, x, z, radius], axis=-1)


def _noise(number: int, size: tuple[int, int]) -> NDArray[np.uint16]:
    noise = _noise_field(size)
    y, x = number * 127 % TILE, number * 311 % TILE
    return noise[y : y + size[0], x : x + size[1]].copy()


@lru_cache(maxsize=2)
def _noise_field(size: tuple[int, int]) -> NDArray[np.uint16]:
    tile = np.random.default_rng(0).poisson(NOISE, (TILE, TILE)).astype(np.uint16)
    return np.tile(tile, [-(-n // TILE) + 1 for n in size])


def _draw(
    out: NDArray[np.uint16], centre: tuple[float, float], radius: float, side: int
) -> None:
    cy, cx, r = centre[0] * out.shape[0], centre[1] * out.shape[1], radius * side
    y0, y1 = max(0, int(cy - r)), min(out.shape[0], int(cy + r) + 2)
    x0, x1 = max(0, int(cx - r)), min(out.shape[1], int(cx + r) + 2)
    if y0 >= y1 or x0 >= x1 or r <= 0:
        return
    y, x = np.ogrid[y0:y1, x0:x1]
    inside = 1 - ((y - cy) ** 2 + (x - cx) ** 2) / r**2
    out[y0:y1, x0:x1] += (PEAK * np.clip(inside, 0, 1)).astype(np.uint16)


def simulate(
    path: PathLike,
    microscope: Microscope,
    *,
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
    on_begin: Callable[[StreamWriter], object] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Write what a simulated microscope sees.

    Parameters
    ----------
    path : path-like
        New folder.
    microscope : Microscope
    progress : callable, optional
        Told (frames done, frames in all).
    cancel : callable, optional
        Asked before every frame whether to stop.
    on_begin : callable, optional
        Given the writer before the first frame.
    **options
        Of :class:`StreamWriter`, such as ``version`` and ``overwrite``.

    Returns
    -------
    dict
        The writer's stats, ``seconds``, and ``late`` (frames that came later than the
        rate says, by more than the time of one).
    """
    given = {
        "scale": (1.0, 1.0, 1.0, 0.5, 0.5),
        "units": ("second", None, *["micrometer"] * 3),
        **options,
    }
    writer = StreamWriter(path, microscope.shape, "tczyx", np.uint16, **given)
    began, late = time.perf_counter(), 0
    with writer:
        if on_begin is not None:
            on_begin(writer)
        for number in _numbers(microscope, began):
            if cancel is not None and cancel():
                break
            writer.append(microscope.frame(number))
            passed = time.perf_counter() - began
            late += microscope.fps > 0 and passed * microscope.fps > number + 2
            if progress is not None:
                progress(number + 1, microscope.frames)
    seconds = time.perf_counter() - began
    return {**writer.stats(), "late": late, "seconds": seconds}


def _numbers(microscope: Microscope, began: float) -> Iterator[int]:
    """Give the number of each frame when its time has come."""
    for number in range(microscope.frames):
        if microscope.fps:
            time.sleep(max(0.0, began + number / microscope.fps - time.perf_counter()))
        yield number
