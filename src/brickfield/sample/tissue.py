"""An organoid as a light-sheet microscope would show it, computed.

Two channels: nuclei in the wall of a hollow, bumpy ball, and vessels, tubes that
branch in its hollow. Shapes are sharp and known, so what a renderer loses is
seen. Everything follows from one seed. Lengths are micrometres; coordinates are
(z, y, x) from the middle of the volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Vector = NDArray[np.float64]

WALL_RADIUS = 37.0
"""Distance of the outer nuclei from the middle."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Voxels round the middle of the world.

    Attributes
    ----------
    shape : tuple of int
        Voxels (z, y, x).
    voxel_size : tuple of float
        Micrometres (z, y, x).
    """

    shape: tuple[int, int, int]
    voxel_size: tuple[float, float, float]

    def box(
        self, lower: Vector, upper: Vector
    ) -> tuple[tuple[slice, ...], list[Float]] | None:
        """Find the voxels between two world points, and their coordinates.

        Parameters
        ----------
        lower : Vector
            Lower corner (z, y, x), world.
        upper : Vector
            Upper corner (z, y, x), world.

        Returns
        -------
        slices : tuple of slice
        coordinates : list of ndarray
            World z, y and x of the voxels, shapes (n, 1, 1), (1, n, 1), (1, 1, n);
            None when the box is outside.
        """
        slices = []
        coordinates = []
        for axis, (n, size) in enumerate(zip(self.shape, self.voxel_size, strict=True)):
            middle = (n - 1) / 2
            first = max(0, floor(lower[axis] / size + middle))
            last = min(n, ceil(upper[axis] / size + middle) + 1)
            if first >= last:
                return None
            slices.append(slice(first, last))
            line = ((np.arange(first, last) - middle) * size).astype(np.float32)
            coordinates.append(line.reshape([-1 if a == axis else 1 for a in range(3)]))
        return tuple(slices), coordinates


def tissue(grid: Grid, seed: int = 7) -> NDArray[np.uint16]:
    """Compute the sample.

    Parameters
    ----------
    grid : Grid
    seed : int

    Returns
    -------
    ndarray, shape (2, z, y, x), uint16
        Nuclei and vessels, camera counts with noise over a dark level of about 100.
    """
    rng = np.random.default_rng(seed)
    channels = (_nuclei(grid, rng), _vessels(grid, rng))
    return np.stack([_counts(channel, rng) for channel in channels])


def _counts(light: Float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Turn light (0 to about 1) into counts, slice by slice to stay small."""
    counts = np.empty(light.shape, np.uint16)
    for plane, out in zip(light, counts, strict=True):
        mean = 100 + 3000 * plane
        noise = rng.standard_normal(plane.shape, dtype=np.float32)
        np.rint(
            np.clip(mean + noise * np.sqrt(mean) * 0.6, 0, 65535),
            casting="unsafe",
            out=out,
        )
    return counts


# Nuclei -----------------------------------------------------------------------


def _nuclei(grid: Grid, rng: np.random.Generator) -> Float:
    light = np.zeros(grid.shape, np.float32)
    texture = _cloud(64, rng)
    for radius, count in ((WALL_RADIUS, 300), (WALL_RADIUS - 8.5, 130)):
        for outward in _spread(count, rng):
            bump = 2.5 * np.sin(3.1 * outward[0] + 1) * np.cos(4.2 * outward[2])
            middle = outward * (radius + bump + rng.normal(0, 0.6))
            _stamp_nucleus(light, grid, middle, outward, texture, rng)
    return light


def _spread(count: int, rng: np.random.Generator) -> Vector:
    """Spread directions evenly over the sphere, then jitter; shape (count, 3)."""
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    height = 1 - (np.arange(count) + 0.5) * 2 / count
    ring = np.sqrt(1 - height**2)
    directions = np.stack([height, ring * np.sin(turn), ring * np.cos(turn)], axis=1)
    directions += rng.normal(0, 0.03, directions.shape)
    unit: Vector = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return unit


def _stamp_nucleus(
    light: Float,
    grid: Grid,
    middle: Vector,
    outward: Vector,
    texture: Float,
    rng: np.random.Generator,
) -> None:
    """Draw one ellipsoid, long outward, with chromatin and two dark nucleoli."""
    is_dividing = rng.random() < 0.06
    along, across = (1.6, 3.6) if is_dividing else rng.normal((4.0, 3.0), 0.25)
    brightness = 1.25 if is_dividing else rng.uniform(0.45, 0.85)
    reach = max(along, across) + 0.5
    found = grid.box(middle - reach, middle + reach)
    if found is None:
        return
    place, coordinates = found
    offset = [c - np.float32(m) for c, m in zip(coordinates, middle, strict=True)]
    radial = sum(o * np.float32(n) for o, n in zip(offset, outward, strict=True))
    square = sum(o * o for o in offset)
    depth = np.sqrt(
        radial**2 / along**2 + np.maximum(square - radial**2, 0) / across**2
    )
    shape = np.clip((1 - depth) * 7, 0, 1)
    if not is_dividing:
        for spot in rng.normal(0, 1.1, (2, 3)):
            distance = sum(
                (o - np.float32(s)) ** 2 for o, s in zip(offset, spot, strict=True)
            )
            shape *= 1 - 0.75 * np.exp(-distance / 0.6)
    grain = 1 + 0.3 * texture[_wrapped(texture, shape.shape, rng)]
    np.maximum(light[place], brightness * shape * grain, out=light[place])


def _wrapped(
    texture: Float, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[NDArray[np.intp], ...]:
    """Index a periodic texture from a random start on."""
    start = rng.integers(0, texture.shape[0], 3)
    return np.ix_(
        *(
            (s + np.arange(n)) % texture.shape[0]
            for s, n in zip(start, shape, strict=True)
        )
    )


def _cloud(edge: int, rng: np.random.Generator) -> Float:
    """Make periodic, smooth noise of unit variance, shape (edge,) * 3."""
    waves = np.fft.rfftn(rng.standard_normal((edge,) * 3))
    k = np.fft.fftfreq(edge)
    square = k[:, None, None] ** 2 + k[:, None] ** 2 + k[: edge // 2 + 1] ** 2
    smooth = waves * np.exp(-square * 120)
    cloud: Vector = np.fft.irfftn(smooth, s=(edge,) * 3, axes=(0, 1, 2))
    unit: Float = (cloud / cloud.std()).astype(np.float32)
    return unit


# Vessels ----------------------------------------------------------------------


def _vessels(grid: Grid, rng: np.random.Generator) -> Float:
    """Draw hollow tubes: walls of bright and dim cells, dimmer blood."""
    depth = np.full(grid.shape, 9.0, np.float32)
    root = np.array([-46.0, 6.0, -8.0])
    _grow(depth, grid, root, np.array([1.0, -0.1, 0.15]), 2.6, rng)
    texture = _cloud(64, rng)
    light = np.empty_like(depth)
    for z, plane in enumerate(depth):
        cells = (
            0.55
            + 0.22 * texture[z % 64][np.ix_(*(np.arange(n) % 64 for n in plane.shape))]
        )
        wall = np.exp(-((plane / 0.45) ** 2)) * np.maximum(cells, 0.15)
        light[z] = wall + 0.12 * np.clip(-plane, 0, 1)
    return light


def _grow(
    depth: Float,
    grid: Grid,
    start: Vector,
    direction: Vector,
    radius: float,
    rng: np.random.Generator,
) -> None:
    """Grow a tube that bends, thins and forks until it is a capillary."""
    point = start
    for _ in range(int(rng.integers(5, 9))):
        direction = direction + rng.normal(0, 0.2, 3)
        if np.linalg.norm(point) > WALL_RADIUS - 15 and radius < 2:
            # Near the wall tubes run along it.
            outward = point / np.linalg.norm(point)
            direction = direction - 1.3 * max(float(direction @ outward), 0.0) * outward
        direction = direction / np.linalg.norm(direction)
        end = point + direction * max(radius * 1.9, 2.6)
        _stamp_tube(depth, grid, point, end, radius)
        point = end
    if radius < 0.7:
        return
    side = np.cross(direction, rng.normal(0, 1, 3))
    side /= np.linalg.norm(side)
    for sign, share in ((1, rng.uniform(0.7, 0.85)), (-1, rng.uniform(0.62, 0.8))):
        _grow(depth, grid, point, direction + sign * 0.75 * side, radius * share, rng)


def _stamp_tube(
    depth: Float, grid: Grid, start: Vector, end: Vector, radius: float
) -> None:
    """Lower `depth` (distance to the tube's wall, negative inside) to one piece."""
    reach = radius + 1.5
    found = grid.box(np.minimum(start, end) - reach, np.maximum(start, end) + reach)
    if found is None:
        return
    place, coordinates = found
    axis = end - start
    offset = [c - np.float32(s) for c, s in zip(coordinates, start, strict=True)]
    along = sum(o * np.float32(a) for o, a in zip(offset, axis, strict=True))
    share = np.clip(along / np.float32(axis @ axis), 0, 1)
    square = sum(
        (o - share * np.float32(a)) ** 2 for o, a in zip(offset, axis, strict=True)
    )
    np.minimum(depth[place], np.sqrt(square) - np.float32(radius), out=depth[place])
