"""Contrast limits of the channels, from some of the voxels, when a stream ends.

Before the first frame nothing is known of the values, so that the whole range of the
data type stands in the metadata: a 16-bit image would look black. A few planes of the
coarsest level tell better, whatever the size of the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.streaming.arrays import StreamArray
from brickfield.streaming.plan import StreamPlan

PLANES = 3
"""Looked at along each leading axis, at most."""
EDGE = 512
"""Rows and columns looked at, at most."""
SHARES = (0.001, 0.999)
"""Of the values: what lies outside is drawn as black or white."""
Window = tuple[float, float]


def find_windows(plan: StreamPlan, array: StreamArray, frames: int) -> list[Window]:
    """Return contrast limits of every named channel.

    Parameters
    ----------
    plan : StreamPlan
    array : StreamArray
        The coarsest level.
    frames : int
        That came by order; 0 when only blocks came.

    Returns
    -------
    list of (float, float)
        Empty when nothing can be told: no names, or only one value.
    """
    found = []
    for channel in range(len(plan.options.channels)):
        parts = [
            array.read(r).reshape(-1) for r in _regions(plan, array, frames, channel)
        ]
        window = _window_of(np.concatenate(parts))
        if window is None:
            return []
        found.append(window)
    return found


def _window_of(values: NDArray[Any]) -> Window | None:
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not values.size:
        return None
    low, high = (float(v) for v in np.quantile(values.astype(np.float64), SHARES))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else None


def _regions(
    plan: StreamPlan, array: StreamArray, frames: int, channel: int
) -> Iterator[tuple[slice, ...]]:
    lead = [array.length, *array.shape[1:-2]] if len(array.shape) > 2 else []
    if frames and lead:
        # Where an acquisition was ended early nothing but the fill value follows.
        lead[0] = min(lead[0], plan.length_for(frames))
    choices = []
    for axis, n in enumerate(lead):
        if plan.axes[axis].kind == "channel":
            choices.append([channel])
        else:
            choices.append(sorted({round(v) for v in np.linspace(0, n - 1, PLANES)}))
    middle = []
    for n in array.shape[-2:]:
        low = max(0, (n - EDGE) // 2)
        middle.append(slice(low, min(n, low + EDGE)))
    for index in product(*choices):
        yield (*(slice(i, i + 1) for i in index), *middle)
