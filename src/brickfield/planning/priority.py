"""In which order chunks are wanted: smaller numbers sooner.

Within a category, coarse chunks come before fine ones, because each coarse
chunk improves more of the picture for the same bytes. Within a level the order
is error times nearness to the centre of attention: where the picture is worst
and the eye rests. The whole number of a priority is the step of coarseness, its
fraction the order within the level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.planning.grid import Floats, Ints


def visible_priorities(
    steps: int, errors_px: Floats, nearness: Floats
) -> NDArray[np.float32]:
    """Order chunks that are seen, coarse before fine.

    Parameters
    ----------
    steps : int
        Levels above this one: 0 for the coarsest level.
    errors_px : ndarray, shape (n,), float64
        Screen-space size of a voxel, pixels.
    nearness : ndarray, shape (n,), float64
        To the centre of attention, 0 to 1.

    Returns
    -------
    ndarray, shape (n,), float32
        Smaller is wanted sooner.
    """
    fraction = 1.0 / (1.0 + errors_px * nearness)
    return np.asarray(steps + fraction, dtype=np.float32)


def base_priorities(
    errors_px: Floats, nearness: Floats, *, is_seen: bool
) -> NDArray[np.float32]:
    """Order chunks of the base level: those in view first; shape (n,), float32."""
    return visible_priorities(0 if is_seen else 1, errors_px, nearness)


def loading_order(
    categories: NDArray[np.uint8], priorities: NDArray[np.float32]
) -> Ints:
    """Order of rows: by category, then by priority, equals as they came."""
    return np.lexsort((priorities, categories)).astype(np.int64)
