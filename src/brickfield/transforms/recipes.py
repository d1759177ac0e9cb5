"""What is baked, as the user says it, turned into an operation for one volume.

A recipe knows degrees, world units and the words of the command; an operation knows
voxels. Between them stands where the volume lies (:class:`Place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, Int3, ScaleLevel, Vec3
from brickfield.transforms.operations.chain import Chain
from brickfield.transforms.operations.convention import (
    Matrix,
    centre_of,
    check_matrix,
    deskew,
    finite,
    in_voxels,
    rotation,
    translation,
    voxel_sizes,
)
from brickfield.transforms.operations.gaussian import Smooth
from brickfield.transforms.operations.grid import Grid, fitting_grid
from brickfield.transforms.operations.joining import Join
from brickfield.transforms.operations.operation import Operation
from brickfield.transforms.operations.resample import Resample
from brickfield.writing import Method, Triple


@dataclass(frozen=True)
class Place:
    """A volume and where it lies; all (z, y, x).

    Attributes
    ----------
    shape : tuple of int
    voxel_size : tuple of float
        World units a voxel.
    origin : tuple of float
        World coordinate of the centre of voxel 0.
    missing : tuple of str
        Axes that the image lacks; it is one voxel thick there.
    turned : AffineTransform or None
        Where the metadata turn what lies along its axes, world.
    """

    shape: Int3
    voxel_size: Vec3 = (1.0, 1.0, 1.0)
    origin: Vec3 = (0.0, 0.0, 0.0)
    missing: tuple[str, ...] = ()
    turned: AffineTransform | None = None

    @classmethod
    def of(cls, level: ScaleLevel, turned: AffineTransform | None = None) -> Place:
        """Describe a level of a pyramid.

        Parameters
        ----------
        level : ScaleLevel
        turned : AffineTransform, optional
            See the attributes.

        Raises
        ------
        OptionError
            When its voxel sizes cannot be used.
        """
        absent = zip("zyx", level.spatial_axes, strict=True)
        return cls(
            level.shape_zyx,
            voxel_sizes(level.voxel_size_zyx),
            level.translation_zyx,
            tuple(name for name, axis in absent if axis < 0),
            turned,
        )

    @property
    def laid_out(self) -> Matrix:
        """From voxels to where the metadata put them, in voxels; shape (4, 4)."""
        if self.turned is None:
            return np.eye(4)
        return in_voxels(self.turned.matrix, self.voxel_size, self.origin)

    def expect_along_axes(self, remedy: str = "") -> None:
        """Refuse an image that its metadata turn.

        Parameters
        ----------
        remedy : str
            What can be done besides baking it first.

        Raises
        ------
        OptionError
        """
        if self.turned is not None:
            msg = (
                "expected an image that lies along its axes; found one that its metadata"
                f' turn: {remedy}bake it by "brickfield transform shift --by 0,0,0" first'
            )
            raise OptionError(msg)


@dataclass(frozen=True)
class Sampling:
    """How a moved volume is sampled.

    Attributes
    ----------
    order : {0, 1, 3}
    fill : float
        What there is outside.
    fit : bool
        Whether the output holds the whole moved volume; else it has the source's grid.
    """

    order: int = 1
    fill: float = 0.0
    fit: bool = False


@dataclass(frozen=True)
class Plan:
    """An operation for one volume, and where its output lies.

    Attributes
    ----------
    operation : Operation
    place : Place
        Of the output.
    """

    operation: Operation
    place: Place


class Recipe(Protocol):
    """What is done with a volume."""

    def plan(self, place: Place, sampling: Sampling) -> Plan:
        """Make the operation for a volume that lies at a place.

        Parameters
        ----------
        place : Place
        sampling : Sampling

        Raises
        ------
        OptionError
            When the recipe does not fit the volume.
        """
        ...


class _Moves:
    """A recipe that is a matrix in voxels."""

    def matrix(self, place: Place) -> Matrix:
        """Return the forward matrix in voxels of the source's grid."""
        raise NotImplementedError

    def plan(self, place: Place, sampling: Sampling) -> Plan:
        """Make the operation for a volume that lies at a place.

        Parameters
        ----------
        place : Place
        sampling : Sampling

        Raises
        ------
        OptionError
            When the recipe does not fit the volume.
        """
        matrix = check_matrix(self.matrix(place))
        # Turned by its metadata it does not lie in its own grid.
        fits = sampling.fit or place.turned is not None
        grid = fitting_grid(place.shape, matrix) if fits else Grid(place.shape)
        operation = Resample.by(
            grid.forward(matrix), grid.shape, order=sampling.order, fill=sampling.fill
        )
        return Plan(operation, moved_place(replace(place, turned=None), grid))


def moved_place(place: Place, grid: Grid) -> Place:
    """Return where a grid lies that begins elsewhere in a volume's own.

    Parameters
    ----------
    place : Place
        Of the volume.
    grid : Grid
    """
    z, y, x = (
        o + g * s
        for o, g, s in zip(place.origin, grid.origin, place.voxel_size, strict=True)
    )
    return replace(place, shape=grid.shape, origin=(z, y, x))


@dataclass(frozen=True)
class Move(_Moves):
    """A turn, a shift, or first the one and then the other.

    Attributes
    ----------
    degrees : float
    axis : {"y", "z", "x"}
    centre : sequence of float, optional
        Fixed point of the turn (z, y, x), voxels; the middle if not given.
    by : sequence of float
        Shift (z, y, x), voxels.
    is_world : bool
        Whether the shift is in world units.
    """

    degrees: float = 0.0
    axis: str = "y"
    centre: Sequence[float] | None = None
    by: Sequence[float] = (0.0, 0.0, 0.0)
    is_world: bool = False

    def matrix(self, place: Place) -> Matrix:
        """Return the forward matrix in voxels of the source's grid."""
        centre = centre_of(place.shape) if self.centre is None else self.centre
        laid_out = place.laid_out
        about = laid_out @ [*finite("the centre", centre, 3), 1.0]
        turn = rotation(self.degrees, self.axis, about[:3].tolist(), place.voxel_size)
        if self.degrees % 180:
            self._expect_plane(place)
        offset = finite("the shift", self.by, 3)
        if self.is_world:
            offset = tuple(b / s for b, s in zip(offset, place.voxel_size, strict=True))
        return np.asarray(translation(offset) @ turn @ laid_out)

    def _expect_plane(self, place: Place) -> None:
        flat = [name for name in place.missing if name != self.axis]
        if flat:
            msg = (
                f"expected a turn about {flat[0]} of an image without that axis; found"
                f" one about {self.axis}: use --axis {flat[0]}"
            )
            raise OptionError(msg)


@dataclass(frozen=True)
class Affine(_Moves):
    """A matrix from world to world, forward, 4 × 4, columns (z, y, x, 1)."""

    rows: tuple[tuple[float, ...], ...]

    @classmethod
    def by(cls, matrix: Any) -> Affine:
        """Make one of a matrix; see :func:`~brickfield.transforms.operations.convention.check_matrix`."""
        return cls(tuple(tuple(map(float, row)) for row in check_matrix(matrix)))

    def matrix(self, place: Place) -> Matrix:
        """Return the forward matrix in voxels of the source's grid."""
        moved = in_voxels(self.rows, place.voxel_size, place.origin)
        return np.asarray(moved @ place.laid_out)


@dataclass(frozen=True)
class Deskew:
    """A stack of oblique planes, put where its voxels were.

    Planes stay planes of the output, whose voxels are ``step · sin(angle)`` apart along
    z; within a plane voxels move along y.

    Attributes
    ----------
    angle : float
        Between the planes and the movement of the stage, degrees.
    step : float
        Movement of the stage between two planes, world units.
    pixel : float, optional
        Size of a pixel of the planes, world units; as the image says if not given.
    """

    angle: float
    step: float
    pixel: float | None = None

    def pixel_size(self, place: Place) -> tuple[float, float]:
        """Return the size of a voxel along y and x, world units.

        Parameters
        ----------
        place : Place

        Raises
        ------
        OptionError
            When the size of a pixel cannot be used.
        """
        if self.pixel is None:
            return place.voxel_size[1:]
        if not 0 < self.pixel < float("inf"):
            msg = f"expected a size of a pixel above 0; found {self.pixel:g}"
            raise OptionError(msg)
        return (self.pixel, self.pixel)

    def to_world(self, place: Place) -> Matrix:
        """Return the map from source voxels to world."""
        sheared = deskew(self.angle, self.step)
        size = np.diag([1.0, *self.pixel_size(place), 1.0])
        return np.asarray(translation(place.origin) @ sheared @ size)

    def plan(self, place: Place, sampling: Sampling) -> Plan:
        """Make the operation for a volume that lies at a place.

        Parameters
        ----------
        place : Place
        sampling : Sampling

        Raises
        ------
        OptionError
            When the recipe does not fit the volume.
        """
        place.expect_along_axes()
        if place.missing:
            msg = f"expected a stack with axes z, y, x; found one without {place.missing[0]}"
            raise OptionError(msg)
        world = self.to_world(place)
        spacing = abs(float(world[0, 0]))
        size = (spacing, *self.pixel_size(place))
        output = replace(place, voxel_size=voxel_sizes(size))
        own = np.diag([*output.voxel_size, 1.0])
        own[:3, 3] = place.origin
        matrix = np.linalg.inv(own) @ world
        grid = fitting_grid(place.shape, matrix) if sampling.fit else Grid(place.shape)
        operation = Resample.by(
            grid.forward(matrix), grid.shape, order=sampling.order, fill=sampling.fill
        )
        return Plan(operation, moved_place(output, grid))


@dataclass(frozen=True)
class Gaussian:
    """A smoothed volume.

    Attributes
    ----------
    sigma : float or sequence of float
        Standard deviation, for all axes or (z, y, x), voxels.
    """

    sigma: float | Sequence[float]

    def plan(self, place: Place, sampling: Sampling) -> Plan:
        """Make the operation for a volume that lies at a place.

        Parameters
        ----------
        place : Place
        sampling : Sampling

        Raises
        ------
        OptionError
            When the recipe does not fit the volume.
        """
        return Plan(Smooth.by(self.sigma), place)


@dataclass(frozen=True)
class Downsample:
    """A volume of fewer voxels.

    Attributes
    ----------
    factor : int, str or sequence of int
        Voxels joined, for all axes or (z, y, x).
    method : {"mean", "mode"}
    """

    factor: Triple
    method: Method = "mean"

    def plan(self, place: Place, sampling: Sampling) -> Plan:
        """Make the operation for a volume that lies at a place.

        Parameters
        ----------
        place : Place
        sampling : Sampling

        Raises
        ------
        OptionError
            When the recipe does not fit the volume.
        """
        join = Join.by(self.factor, self.method)
        sizes = [s * f for s, f in zip(place.voxel_size, join.factors, strict=True)]
        moved = [
            o + s * (f - 1) / 2
            for o, s, f in zip(
                place.origin, place.voxel_size, join.factors, strict=True
            )
        ]
        output = replace(
            place,
            shape=join.output_shape(place.shape),
            voxel_size=voxel_sizes(sizes),
            origin=(moved[0], moved[1], moved[2]),
        )
        return Plan(join, output)


@dataclass(frozen=True)
class SmoothedMove:
    """A volume first smoothed, then turned and shifted, in one pass.

    Attributes
    ----------
    sigma : float or sequence of float
        As for :class:`Gaussian`.
    move : Move or Affine
    """

    sigma: float | Sequence[float]
    move: Move | Affine

    def plan(self, place: Place, sampling: Sampling) -> Plan:
        """Make the operation for a volume that lies at a place.

        Parameters
        ----------
        place : Place
        sampling : Sampling

        Raises
        ------
        OptionError
            When the recipe does not fit the volume.
        """
        smooth, moved = Smooth.by(self.sigma), self.move.plan(place, sampling)
        if max(smooth.halo) == 0:
            return moved
        return Plan(Chain(smooth, moved.operation), moved.place)
