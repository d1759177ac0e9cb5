"""What baking came to, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brickfield.transforms.operations.convention import Matrix
from brickfield.writing.images import WriteResult


@dataclass(frozen=True)
class BakeResult(WriteResult):
    """What was written.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        From voxels of the source's level to voxels of the image that was written,
        columns (z, y, x, 1).

    See Also
    --------
    brickfield.writing.images.WriteResult : All other attributes.
    """

    matrix: Matrix = field(kw_only=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the result in plain JSON values."""
        return {**super().as_dict(), "matrix": np.asarray(self.matrix).tolist()}
