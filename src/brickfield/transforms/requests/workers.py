"""The five pieces of work on a volume in memory, each a value that can be run.

``run()`` computes on the calling thread. A :class:`TransformManager` runs the same
workers on its threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import Int3
from brickfield.transforms.operations.convention import (
    Matrix,
    centre_of,
    rotation,
    translation,
)
from brickfield.transforms.operations.gaussian import Smooth
from brickfield.transforms.operations.joining import Join
from brickfield.transforms.operations.operation import Operation, Volume, key_of
from brickfield.transforms.operations.resample import Resample
from brickfield.writing import Triple

AnyArray = NDArray[Any]
Step = Callable[[float], None]
"""Told the percentage that is done; what it raises ends the work."""


def _ignore(percent: float) -> None:
    """Go on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeWorker:
    """Work on one volume.

    Attributes
    ----------
    volume : array-like, shape (z, y, x)
        Not copied, so it must not change until the work is done.
    channel_id : int
        Handed back with what becomes of it.
    priority : int
        Among other requests; higher goes first.
    """

    volume: Any = field(repr=False)
    channel_id: int = 0
    priority: int = 0

    def operation(self, shape: Int3) -> Operation:
        """Return what is done with a volume of a shape (z, y, x).

        Raises
        ------
        OptionError
            When a parameter cannot be used.
        """
        raise NotImplementedError

    def run(self, step: Step = _ignore) -> AnyArray:
        """Compute.

        Parameters
        ----------
        step : callable
            Told the percentage that is done, every 5 to 30 ms; what it raises ends the
            work.

        Returns
        -------
        ndarray, shape (z, y, x)
            Of the volume's data type, read-only.

        Raises
        ------
        OptionError
            When the volume or a parameter cannot be used.
        """
        data = volume_of(self.volume)
        shape = _shape3(data)
        operation = self.operation(shape)
        sizes = operation.output_shape(shape)
        region = (slice(0, sizes[0]), slice(0, sizes[1]), slice(0, sizes[2]))
        n_steps = max(1, operation.n_steps(region, shape))
        n_done = 0

        def check() -> None:
            nonlocal n_done
            step(min(100.0 * n_done / n_steps, 99.0))
            n_done += 1

        made = operation.make(
            Volume(shape, data.dtype, data.__getitem__, check), region
        )
        made.flags.writeable = False
        step(100.0)
        return made


@dataclass(frozen=True, kw_only=True, eq=False)
class RotationTransformWorker(VolumeWorker):
    """A volume turned about an axis, in space.

    Attributes
    ----------
    rotation_deg : float
        + about z takes +x to +y, about x +y to +z, about y +z to +x.
    center_voxels : sequence of float, optional
        Fixed point (z, y, x); the middle of the volume if not given.
    axis : {"y", "z", "x"}
    voxel_size : sequence of float
        (z, y, x).
    order : {1, 0, 3}
    """

    rotation_deg: float
    center_voxels: Sequence[float] | None = None
    axis: str = "y"
    voxel_size: Sequence[float] = (1.0, 1.0, 1.0)
    order: int = 1

    def matrix(self, shape: Int3) -> Matrix:
        """Return the matrix of the turn, shape (4, 4), forward, voxels."""
        centre = self.center_voxels
        about = centre_of(shape) if centre is None else centre
        return rotation(self.rotation_deg, self.axis, about, self.voxel_size)

    def operation(self, shape: Int3) -> Operation:
        """Return what is done with a volume of a shape (z, y, x)."""
        return Resample.by(self.matrix(shape), shape, order=self.order)


@dataclass(frozen=True, kw_only=True, eq=False)
class TranslationWorker(VolumeWorker):
    """A volume shifted: what is at i goes to i + offset.

    Attributes
    ----------
    offset_voxels : sequence of float
        (z, y, x).
    order : {1, 0, 3}
    """

    offset_voxels: Sequence[float]
    order: int = 1

    def operation(self, shape: Int3) -> Operation:
        """Return what is done with a volume of a shape (z, y, x)."""
        matrix = translation(self.offset_voxels)
        return Resample.by(matrix, shape, order=self.order)


@dataclass(frozen=True, kw_only=True, eq=False)
class CombinedTransformWorker(RotationTransformWorker):
    """A volume first turned, then shifted; voxels are sampled once.

    Attributes
    ----------
    offset_voxels : sequence of float
        (z, y, x).
    """

    offset_voxels: Sequence[float] = (0.0, 0.0, 0.0)

    def matrix(self, shape: Int3) -> Matrix:
        """Return the matrix of both, shape (4, 4), forward, voxels."""
        return np.asarray(translation(self.offset_voxels) @ super().matrix(shape))


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianSmoothWorker(VolumeWorker):
    """A volume smoothed.

    Attributes
    ----------
    sigma : float or sequence of float
        Standard deviation, for all axes or (z, y, x), voxels.
    """

    sigma: float | Sequence[float]

    def operation(self, shape: Int3) -> Operation:
        """Return what is done with a volume of a shape (z, y, x)."""
        return Smooth.by(self.sigma)


@dataclass(frozen=True, kw_only=True, eq=False)
class DownsampleWorker(VolumeWorker):
    """A volume of fewer voxels, each the mean of those it covers.

    Attributes
    ----------
    factor : int or sequence of int
        Voxels joined, for all axes or (z, y, x).
    """

    factor: Triple = 3

    def operation(self, shape: Int3) -> Operation:
        """Return what is done with a volume of a shape (z, y, x)."""
        return Join.by(self.factor)


def volume_of(given: Any) -> AnyArray:
    """Return a volume as an array that can be worked on.

    Parameters
    ----------
    given : array-like, shape (z, y, x)

    Returns
    -------
    ndarray, shape (z, y, x)
        Native byte order; the same memory where that is possible.

    Raises
    ------
    OptionError
        When it has other axes, no voxels, or voxels that are no numbers.
    """
    data = np.asarray(given)
    if data.ndim != 3 or 0 in data.shape:
        shape = " × ".join(map(str, data.shape)) or "one value"
        msg = f"expected a volume with voxels along z, y and x; found {shape}"
        raise OptionError(msg)
    if data.dtype.kind not in "biuf" or data.dtype.itemsize > 8:
        msg = f"expected integers, floats or booleans; found {data.dtype}"
        raise OptionError(msg)
    return data.astype(data.dtype.newbyteorder("="), copy=False)


def content_key(worker: VolumeWorker) -> str:
    """Return a text that is equal for equal results alone.

    It tells every byte of the volume, its shape and type, and the operation.

    Raises
    ------
    OptionError
        When the volume or a parameter cannot be used.
    """
    data = volume_of(worker.volume)
    shape = _shape3(data)
    operation = key_of(worker.operation(shape))
    digest = blake2b(digest_size=16)
    for plane in data:
        digest.update(np.ascontiguousarray(plane).view(np.uint8).data)
    return f"{digest.hexdigest()}|{shape}|{data.dtype.str}|{operation}"


def _shape3(data: AnyArray) -> Int3:
    z, y, x = data.shape
    return (z, y, x)
