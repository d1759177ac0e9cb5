"""Clip box and clip planes of a layer as one list of planes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.model.appearance import Appearance


def clip_planes_of(look: Appearance) -> NDArray[np.float64]:
    """Return clip box and clip planes as rows (nz, ny, nx, d), world."""
    rows = [list(p) for p in look.clip_planes]
    if look.clip_box is not None:
        for axis, (low, high) in enumerate(zip(*look.clip_box, strict=True)):
            for sign, at in ((1.0, low), (-1.0, high)):
                if np.isfinite(at):
                    normal = [0.0, 0.0, 0.0]
                    normal[axis] = sign
                    rows.append([*normal, -sign * at])
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
