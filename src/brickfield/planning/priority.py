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


def step_priorities(
    steps: int, errors_px: Floats, nearness: Floats
) -> NDArray[np.float32]:
    """Order chunks that share a step: worst and nearest to the centre first.

    Parameters
    ----------
    steps : int
        Levels that go before: 0 for the coarsest; of the base level, 0 for what is
        in view and 1 for the rest.
    errors_px : ndarray, shape (n,), float64
        Screen-space size of a voxel, pixels.
    nearness : ndarray, shape (n,), float64
        To the centre of attention, 0 to 1.

    Returns
    -------
    ndarray, shape (n,), float32
        From `steps` to ``steps + 1``, smaller is wanted sooner.
    """
    fraction = 1.0 / (1.0 + errors_px * nearness)
    return np.asarray(steps + fraction, dtype=np.float32)


def loading_order(
    categories: NDArray[np.uint8], priorities: NDArray[np.float32]
) -> Ints:
    """Order of rows: by category, then by priority, equals as they came."""
    return np.lexsort((priorities, categories)).astype(np.int64)
