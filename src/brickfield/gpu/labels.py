"""The colours of labels as a table that the shader looks up.

Rows are pairs of words: first the labels with a colour of their own, ascending, with
the number as it lies in the texture; then the colours that all others take turns
with. Row 0 of these belongs to label 0, which is never drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.formats import TextureFormat
from brickfield.model.appearance import Appearance


@dataclass(frozen=True, eq=False)
class LabelTable:
    """What is sent of the colours of labels.

    Attributes
    ----------
    rows : ndarray, shape (n, 2), uint32
        Label and colour (red in the lowest byte).
    n_own : int
        Labels with a colour of their own.
    n_cycle : int
        Colours that the others take turns with, that of 0 included; 0 leaves the
        colours to the shader.
    has_clear : bool
        Whether a label may be invisible, so that rays have to look its colour up.
    """

    rows: NDArray[np.uint32] = field(
        default_factory=lambda: np.zeros((1, 2), np.uint32)
    )
    n_own: int = 0
    n_cycle: int = 0
    has_clear: bool = False


def label_table(look: Appearance, fmt: TextureFormat) -> LabelTable:
    """Make the table of an appearance.

    Parameters
    ----------
    look : Appearance
    fmt : TextureFormat
        Of labels.
    """
    if look.label_colors is None:
        return LabelTable()
    cycle = look.label_colors
    own = {fmt.label_word(k): c for k, c in look.label_overrides.items() if k != 0}
    words = np.array(sorted(own), dtype=np.uint32)
    colors = np.array([own[int(w)] for w in words], dtype=np.uint8).reshape(-1, 4)
    rows = np.zeros((len(words) + len(cycle), 2), np.uint32)
    rows[: len(words), 0] = words
    rows[:, 1] = np.ascontiguousarray(np.vstack([colors, cycle])).view("<u4")[:, 0]
    has_clear = not (colors[:, 3].all() and cycle[1:, 3].all())
    return LabelTable(rows, len(words), len(cycle), has_clear)
