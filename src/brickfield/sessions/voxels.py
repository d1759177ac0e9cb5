"""One layer's voxels: one channel of a level, axes as the layer has them.

A layer's axes are the non-spatial ones but the channel's, in stored order, then z
(left out when the image has none), y and x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Slices
from brickfield.errors import OptionError
from brickfield.model import Axis, Int3, Pyramid
from brickfield.sources import ChunkSource
from brickfield.writing import SourceReader
from brickfield.writing.level_plans import written_order


@dataclass(frozen=True)
class LayerGrid:
    """Which axes of a pyramid a layer shows, in the order in which they are written.

    Attributes
    ----------
    order : tuple of int
        Position of every axis shown among the stored ones.
    channel_axis, channel : int or None
        The axis that is cut at one index.
    axes : tuple of Axis
    layer_order : tuple of int
        Position among the shown axes of every axis of the layer.
    has_z : bool
        Whether there are three spatial axes, not two; they come last.
    """

    order: tuple[int, ...]
    channel_axis: int | None
    channel: int | None
    axes: tuple[Axis, ...]
    layer_order: tuple[int, ...]
    has_z: bool

    @classmethod
    def of(cls, pyramid: Pyramid, channel: int | None) -> LayerGrid:
        """Choose the axes of a layer that shows one channel, or all for None.

        Parameters
        ----------
        pyramid : Pyramid
        channel : int or None
            Index on the channel axis; None for all.

        Raises
        ------
        OptionError
            When there is no such channel, or more axes than OME-Zarr has.
        """
        cut = pyramid.channel_axis if channel is not None else None
        if cut is not None:
            n = pyramid.levels[0].shape[cut]
            if not 0 <= int(channel or 0) < n:
                msg = f"expected a channel from 0 to {n - 1}; found {channel}"
                raise OptionError(msg)
        space = [a for a in pyramid.spatial_axes if a >= 0]
        shown = [a for a in pyramid.other_axes if a != cut] + space
        kinds: list[str] = [pyramid.axes[a].kind for a in shown]
        positions = [shown.index(a) if a >= 0 else -1 for a in pyramid.spatial_axes]
        z, y, x = positions
        order = tuple(shown[i] for i in written_order(kinds, (z, y, x)))
        return cls(
            order,
            cut,
            None if cut is None else channel,
            tuple(pyramid.axes[a] for a in order),
            tuple(order.index(a) for a in shown),
            z >= 0,
        )

    @property
    def spatial_axes(self) -> Int3:
        """Positions of z, y, x among the axes shown; -1 for an absent one."""
        n = len(self.axes)
        return (n - 3 if self.has_z else -1, n - 2, n - 1)

    def shown(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Take the shown ones of values for all stored axes."""
        return tuple(values[a] for a in self.order)

    def in_layer(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Order values of the shown axes as the layer has its axes."""
        return tuple(values[i] for i in self.layer_order)


@dataclass(frozen=True)
class LayerReader:
    """One level of a layer; complex voxels as their magnitude. See RegionReader.

    Attributes
    ----------
    reader : SourceReader
        With the channel axis first, where it is cut.
    channel : int or None
    """

    reader: SourceReader
    channel: int | None

    @classmethod
    def of(cls, source: ChunkSource, level: int, grid: LayerGrid) -> LayerReader:
        """Return the reader of one level of an open source.

        Parameters
        ----------
        source : ChunkSource
        level : int
        grid : LayerGrid
            Axes of the layer.
        """
        cut = () if grid.channel_axis is None else (grid.channel_axis,)
        return cls(SourceReader(level, cut + grid.order, None, source), grid.channel)

    def _tail(self, values: tuple[int, ...]) -> tuple[int, ...]:
        return values if self.channel is None else values[1:]

    def _whole(self, region: Slices) -> Slices:
        if self.channel is None:
            return region
        return (slice(self.channel, self.channel + 1), *region)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels, all axes shown."""
        return self._tail(self.reader.shape)

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Unit of decoding."""
        return self._tail(self.reader.chunk_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels, native byte order."""
        dtype: np.dtype[Any] = self.reader.dtype
        return np.empty(0, dtype).real.dtype if dtype.kind == "c" else dtype

    def is_missing(self, region: Slices) -> bool:
        """Tell whether nothing of a region is stored, as far as is known cheaply."""
        return self.reader.is_missing(self._whole(region))

    def read(self, region: Slices) -> NDArray[Any]:
        """Read a region, shape of the region; of complex voxels the magnitude.

        Raises
        ------
        ChunkReadError
        """
        data: NDArray[Any] = self.reader.read(self._whole(region))
        data = data if self.channel is None else data[0]
        return np.abs(data) if data.dtype.kind == "c" else data
