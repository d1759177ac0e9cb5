"""One operation after another, in one pass: the second reads what the first makes.

Invariant: between the two, values are floats, so that integers are rounded once, at the
end. A box that two pieces need is made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickfield.model import Int3
from brickfield.transforms.operations.convention import Matrix
from brickfield.transforms.operations.gaussian import working_type
from brickfield.transforms.operations.grid import Region
from brickfield.transforms.operations.operation import (
    AnyArray,
    Operation,
    Volume,
    key_of,
)
from brickfield.transforms.operations.rounding import to_dtype


@dataclass(frozen=True)
class Chain:
    """Two operations.

    Attributes
    ----------
    first, second : Operation
    """

    first: Operation
    second: Operation

    @property
    def fill(self) -> float:
        """What there is outside, as the second says."""
        return float(getattr(self.second, "fill", 0.0))

    def output_shape(self, shape: Int3) -> Int3:
        """Return the shape of the output for a source of a shape (z, y, x)."""
        return self.second.output_shape(self.first.output_shape(shape))

    def forward(self) -> Matrix:
        """Return where source voxels go, in output voxels; shape (4, 4)."""
        return np.asarray(self.second.forward() @ self.first.forward())

    def parameters(self) -> dict[str, Any]:
        """Return what it does in plain JSON values."""
        return {"first": key_of(self.first), "second": key_of(self.second)}

    def box_of(self, region: Region, shape: Int3) -> Region | None:
        """Return the source voxels that a region needs; None where it needs none.

        Parameters
        ----------
        region : tuple of slice
            Voxels of the output (z, y, x).
        shape : tuple of int
            Of the source.
        """
        box = self.second.box_of(region, self.first.output_shape(shape))
        return None if box is None else self.first.box_of(box, shape)

    def scratch_bytes(self, size: Int3, shape: Int3, dtype: np.dtype[Any]) -> int:
        """Return the memory that a region of a size takes beside itself.

        Parameters
        ----------
        size : tuple of int
            Of the region (z, y, x).
        shape : tuple of int
            Of the source.
        dtype : numpy.dtype
        """
        wide, middle = working_type(dtype), self.first.output_shape(shape)
        own = self.second.scratch_bytes(size, middle, wide)
        # What the second reads is about what its scratch holds.
        side = max(1, round((own / wide.itemsize) ** (1 / 3)))
        sides = [min(side, n) for n in middle]
        box = (sides[0], sides[1], sides[2])
        return own + self.first.scratch_bytes(box, shape, wide)

    def n_steps(self, region: Region, shape: Int3) -> int:
        """Return how often a region asks whether it is wanted, at least.

        Parameters
        ----------
        region : tuple of slice
        shape : tuple of int
            Of the source (z, y, x).
        """
        return self.second.n_steps(region, self.first.output_shape(shape))

    def make(self, volume: Volume, region: Region) -> AnyArray:
        """Make a region of the output, of the source's data type.

        Parameters
        ----------
        volume : Volume
        region : tuple of slice
            Voxels of the output (z, y, x).

        Returns
        -------
        ndarray, shape of the region (z, y, x)
        """
        wide = working_type(volume.dtype)

        def read(box: Region) -> AnyArray:
            return volume.read(box).astype(wide)

        def shared(key: Hashable, make: Callable[[], Any]) -> Any:
            return volume.shared(("of the first", key), make)

        source = Volume(volume.shape, wide, read, volume.check, volume.shared)
        middle = Volume(
            self.first.output_shape(volume.shape),
            wide,
            lambda box: self.first.make(source, box),
            volume.check,
            shared,
        )
        made = self.second.make(middle, region)
        return to_dtype(made, volume.dtype)
