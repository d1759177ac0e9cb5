"""Voxels joined into one, as pyramids are made: the mean, or the mode of labels.

Invariant: an output voxel is made of the ``f³`` source voxels that it covers, those
that exist at the far edges; see :func:`brickfield.writing.downsample.downsample`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from brickfield.model import Int3
from brickfield.transforms.operations.convention import Matrix
from brickfield.transforms.operations.grid import Region
from brickfield.transforms.operations.operation import (
    AnyArray,
    Volume,
    n_pieces,
    pieces,
    shape_of,
)
from brickfield.writing import Method, Triple, parse_triple
from brickfield.writing import downsample_downsample as downsample

MOST_BOX = 1 << 21
"""Source voxels joined at once."""


@dataclass(frozen=True)
class Join:
    """A volume of fewer voxels.

    Attributes
    ----------
    factors : tuple of int
        Voxels joined along (z, y, x).
    method : {"mean", "mode"}
    """

    factors: Int3
    method: Method = "mean"

    @classmethod
    def by(cls, factor: Triple, method: Method = "mean") -> Join:
        """Make one of one or three factors.

        Parameters
        ----------
        factor : int, str or sequence of int
            For all axes or (z, y, x).
        method : {"mean", "mode"}

        Raises
        ------
        OptionError
            When they are no whole numbers above 0.
        """
        return cls(parse_triple("factor", factor), method)

    def output_shape(self, shape: Int3) -> Int3:
        """Return the shape of the output, rounded up."""
        z, y, x = (-(-n // f) for n, f in zip(shape, self.factors, strict=True))
        return (z, y, x)

    def forward(self) -> Matrix:
        """Return where source voxels go, in output voxels."""
        matrix = np.diag([*(1 / f for f in self.factors), 1.0])
        # The centre of a joined voxel is the middle of those that it is made of.
        matrix[:3, 3] = [-(f - 1) / 2 / f for f in self.factors]
        return matrix

    def parameters(self) -> dict[str, Any]:
        """Return what it does in plain JSON values."""
        return {"factors": list(self.factors), "method": self.method}

    def box_of(self, region: Region, shape: Int3) -> Region | None:
        """Return the source voxels that a region needs.

        Parameters
        ----------
        region : tuple of slice
            Voxels of the output (z, y, x).
        shape : tuple of int
            Of the source.
        """
        z, y, x = (
            slice(s.start * f, min(s.stop * f, n))
            for s, f, n in zip(region, self.factors, shape, strict=True)
        )
        return (z, y, x)

    def scratch_bytes(self, size: Int3, shape: Int3, dtype: np.dtype[Any]) -> int:
        """Return the memory that a region of a size takes beside itself.

        Parameters
        ----------
        size, shape : tuple of int
            Of the region and of the source (z, y, x).
        dtype : numpy.dtype
        """
        # Along no axis more than there is.
        one = prod(map(min, self.factors, shape))
        box = (min(n * f, m) for n, f, m in zip(size, self.factors, shape, strict=True))
        n_box = min(prod(box), max(MOST_BOX, one))
        # The voxels read, and their sums in float64.
        return n_box * (dtype.itemsize + 8)

    def n_steps(self, region: Region, shape: Int3) -> int:
        """Return how often a region asks whether it is wanted, at least.

        Parameters
        ----------
        region : tuple of slice
        shape : tuple of int
            Of the source (z, y, x).
        """
        return n_pieces(region, self._piece(region))

    def _piece(self, region: Region) -> Int3:
        """Return the largest part of a region whose box is bounded."""
        most = list(shape_of(region))
        gain = prod(self.factors)
        while prod(most) * gain > MOST_BOX and max(most) > 1:
            axis = most.index(max(most))
            most[axis] = -(-most[axis] // 2)
        z, y, x = (max(1, n) for n in most)
        return (z, y, x)

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
        out = np.empty(shape_of(region), volume.dtype)
        for piece, place in pieces(region, self._piece(region)):
            volume.check()
            box = self.box_of(piece, volume.shape)
            assert box is not None
            out[place] = downsample(volume.read(box), self.factors, self.method)
        return out
