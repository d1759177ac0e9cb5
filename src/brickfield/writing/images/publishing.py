"""The metadata of a new image, written last: levels, channels, their windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.blockwise import BlockGrid, Extrema, extrema
from brickfield.model import AffineTransform, Axis, ImageInfo
from brickfield.writing.level_plans import LevelPlan
from brickfield.writing.metadata import (
    image_attributes,
    method_attributes,
    new_group,
    omero_attributes,
)
from brickfield.writing.stored_level import StoredLevel


@dataclass(frozen=True)
class NewImage:
    """What the metadata of a new image tell.

    Attributes
    ----------
    root : Path
    version : {"0.6", "0.5", "0.4"}
    info : ImageInfo
        Name, channels, and whether the voxels are labels.
    axes : tuple of Axis
        In the written order.
    levels : sequence of LevelPlan
    method : str
        How coarser levels are made.
    made_by : str
        The function that a reader would look up.
    placement : AffineTransform or None
        What turns, shears or mirrors the image; version 0.6 only.
    """

    root: Path
    version: str
    info: ImageInfo
    axes: tuple[Axis, ...]
    levels: Sequence[LevelPlan]
    method: str
    made_by: str
    placement: AffineTransform | None = None


def publish_image(image: NewImage, coarsest: StoredLevel, dtype: np.dtype[Any]) -> None:
    """Write the metadata of a new image, by one rename.

    Parameters
    ----------
    image : NewImage
    coarsest : StoredLevel
        Read for the windows of channels that have none.
    dtype : numpy.dtype

    Raises
    ------
    StoreWriteError
        When there is no room or no right to write.
    """
    attributes = image_attributes(
        image.version, image.info.name, image.axes, image.levels, image.placement
    )
    attributes["multiscales"][0].update(method_attributes(image.method, image.made_by))
    if image.info.is_labels:
        attributes["image-label"] = {"version": "0.4"} if image.version == "0.4" else {}
    else:
        attributes.update(_omero(image, coarsest, dtype))
    new_group(image.root, image.version, attributes).publish()


def _omero(
    image: NewImage, coarsest: StoredLevel, dtype: np.dtype[Any]
) -> dict[str, Any]:
    kinds = [a.kind for a in image.axes]
    axis = kinds.index("channel") if "channel" in kinds else None
    windows = [
        channel.window or _window(coarsest, axis, i)
        for i, channel in enumerate(image.info.channels)
    ]
    limits = None
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        limits = (float(info.min), float(info.max))
    return omero_attributes(image.info.channels, windows, limits)


def _window(level: StoredLevel, axis: int | None, channel: int) -> tuple[float, float]:
    """Smallest and largest finite value of one channel of the coarsest level."""
    start = [0] * len(level.shape)
    shape = list(level.shape)
    if axis is not None:
        start[axis], shape[axis] = channel, 1

    def read(region: tuple[slice, ...]) -> np.ndarray[Any, np.dtype[np.generic]]:
        there = tuple(
            slice(s.start + o, s.stop + o) for s, o in zip(region, start, strict=True)
        )
        data = level.read(there)
        return data[np.isfinite(data)] if data.dtype.kind == "f" else data

    found: Extrema = extrema(read, BlockGrid(tuple(shape), level.write_shape))
    if found.low is None or found.high is None:
        return (0.0, 1.0)
    return (float(found.low), float(found.high))
