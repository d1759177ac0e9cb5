"""From transformations to boxes of voxels and where they are placed.

A level is a box of voxels along the axes of its image: a voxel size and a
translation for each axis. What stretches and shifts only goes into these. The rest,
a rotation, a shear or a mirror, is one affine map for all levels, the placement,
and the axes other than space have no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.model import AffineTransform, Axis
from brickfield.sources.coordinates import affine_map
from brickfield.sources.coordinates.affine_map import F64
from brickfield.sources.geometry import Findings, spatial_positions
from brickfield.sources.ome_zarr.transforms import BoxTransform, ImageMap

_SLACK = 1e-9


@dataclass(frozen=True)
class SystemMap:
    """Where an image's own system lies in that of the scene round it.

    Attributes
    ----------
    matrix : ndarray, shape (m, n + 1)
        From the image's axes to those of the scene's system.
    axes : tuple of Axis
        Of the scene's system.
    """

    matrix: F64
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Placed:
    """An image's levels where they lie.

    Attributes
    ----------
    own : tuple of BoxTransform
        Of each level, in the image's own system.
    outer : BoxTransform
        Applied to every level afterwards.
    placement : AffineTransform or None
        Applied last, to (z, y, x); None where the boxes say all.
    """

    own: tuple[BoxTransform, ...]
    outer: BoxTransform
    placement: AffineTransform | None = None


def place(
    maps: Sequence[ImageMap],
    outer: ImageMap,
    axes: Sequence[Axis],
    where: Sequence[str],
    findings: Findings,
) -> Placed:
    """Part the transformations of an image into boxes and a placement.

    Parameters
    ----------
    maps : sequence of ImageMap
        Of each level, finest first.
    outer : ImageMap
        Applied to every level after its own.
    axes : sequence of Axis
        Of the stored arrays.
    where : sequence of str
        Places of the levels in the metadata.
    """
    rank = len(axes)
    # The rotation of the finest level is taken for that of all: drawing puts the boxes
    # of all levels under one placement, since a brick of a coarse level stands in for
    # finer ones.
    turned = None if affine_map.is_box(maps[0].matrix) else _without_size(maps[0])
    own = [_box_of(m, turned) for m in maps]
    for i, (box, item) in enumerate(zip(own, maps, strict=True)):
        if box is None:
            _note_left_out(findings, where[i], "turned as the finest level is", item)
            own[i] = BoxTransform.identity(rank)
    boxes = tuple(box for box in own if box is not None)
    last = outer.matrix if turned is None else affine_map.then(turned, outer.matrix)
    # Nearly every image: no placement, so nothing else has to know of rotations.
    if affine_map.is_box(last):
        return Placed(boxes, _box(last, outer.has_scale))
    spatial = [p for p in spatial_positions(axes) if p >= 0]
    # A time that depends on where one looks cannot be shown by a slider.
    if _mixes_others(last, spatial):
        expected = "a transformation that keeps space apart from the other axes"
        findings.error(
            "unsupported-transform",
            where[0],
            f"expected {expected} in {where[0]}; found {last.tolist()!r:.80}; left it out",
        )
        return Placed(boxes, BoxTransform.identity(rank))
    rest = affine_map.identity(rank)
    # Scales and shifts of time stay in the boxes, because a placement is applied to (z,
    # y, x) alone.
    for axis in range(rank):
        if axis not in spatial:
            rest[axis, axis], rest[axis, -1] = last[axis, axis], last[axis, -1]
    return Placed(boxes, _box(rest, False), in_space(last, axes))


def reordered(matrix: F64, axes: Sequence[Axis], outputs: Sequence[Axis]) -> F64:
    """Put the rows of a map in the order of an image's axes.

    Parameters
    ----------
    matrix : ndarray, shape (m, n + 1)
        From an image's n axes to the m axes of another system.
    axes : sequence of Axis
        Of the image.
    outputs : sequence of Axis
        Of the other system.

    Returns
    -------
    ndarray, shape (n, n + 1)
        Row i is the coordinate on the axis of the world that axis i stands for: z, y
        and x by their names or else in their order, all others by name.

    Raises
    ------
    StoreFormatError
        If the systems have different axes.
    """
    ours, theirs = spatial_positions(axes), spatial_positions(outputs)
    rest = [i for i in range(len(axes)) if i not in ours]
    others = [i for i in range(len(outputs)) if i not in theirs]
    names = [outputs[i].name for i in others]
    # By name where both systems have the same names; files also call one axis "t" in
    # the array and "time" in the scene, and then the order is all there is.
    if sorted(names) == sorted(axes[i].name for i in rest):
        others = [others[names.index(axes[i].name)] for i in rest]
    has_same_space = [p < 0 for p in ours] == [p < 0 for p in theirs]
    if len(axes) != len(outputs) or len(rest) != len(others) or not has_same_space:
        found = ", ".join(a.name for a in outputs)
        wanted = ", ".join(a.name for a in axes)
        msg = f"expected a system with axes like {wanted}; found one with {found}"
        raise StoreFormatError(msg)
    result = np.zeros((len(axes), matrix.shape[1]))
    pairs = [*zip(ours, theirs, strict=True), *zip(rest, others, strict=True)]
    for mine, other in pairs:
        if mine >= 0:
            result[mine] = matrix[other]
    return result


def _without_size(image: ImageMap) -> F64:
    """Take the voxel sizes out of a level's map: what is left turns and shifts."""
    result = image.matrix.copy()
    # The columns are the steps from one voxel to the next, so their lengths are the
    # voxel sizes.
    result[:, :-1] /= np.linalg.norm(result[:, :-1], axis=0)
    return result


def _box_of(image: ImageMap, turned: F64 | None) -> BoxTransform | None:
    if turned is None:
        straight = image.matrix
    else:
        back = affine_map.inverse(turned)
        if back is None:
            return None
        straight = affine_map.then(image.matrix, back)
        # Rounding leaves traces where there are none.
        size = np.abs(straight[:, :-1]).max()
        straight[:, :-1][np.abs(straight[:, :-1]) < _SLACK * size] = 0.0
        straight[:, -1][np.abs(straight[:, -1]) < _SLACK * size] = 0.0
    return _box(straight, image.has_scale) if affine_map.is_box(straight) else None


def _box(matrix: F64, has_scale: bool) -> BoxTransform:
    scale = tuple(float(v) for v in np.diag(matrix[:, :-1]))
    return BoxTransform(scale, tuple(float(v) for v in matrix[:, -1]), has_scale)


def _mixes_others(matrix: F64, spatial: Sequence[int]) -> bool:
    others = [i for i in range(len(matrix)) if i not in spatial]
    if not others:
        return False
    linear = matrix[:, :-1]
    beside = linear[np.ix_(others, others)]
    return bool(
        linear[np.ix_(others, spatial)].any()
        or linear[np.ix_(spatial, others)].any()
        or (beside - np.diag(np.diag(beside))).any()
        # Backwards or not at all along time or channels: frames have no such order.
        or (np.diag(beside) <= 0).any()
    )


def in_space(matrix: F64, axes: Sequence[Axis]) -> AffineTransform:
    """Take what a map does in space, in the order z, y, x; absent axes stay.

    Parameters
    ----------
    matrix : ndarray, shape (n, n + 1)
        Rows and columns in the order of the axes.
    axes : sequence of Axis
    """
    result = np.eye(4)
    positions = spatial_positions(axes)
    for row, p in enumerate(positions):
        if p < 0:
            continue
        for column, q in enumerate(positions):
            result[row, column] = matrix[p, q] if q >= 0 else 0.0
        result[row, 3] = matrix[p, -1]
    return AffineTransform.from_matrix(result)


def placement_matrix(placement: AffineTransform, axes: Sequence[Axis]) -> F64:
    """Spread a map of space over all axes; the inverse of :func:`in_space`.

    Parameters
    ----------
    placement : AffineTransform
        (z, y, x).
    axes : sequence of Axis

    Returns
    -------
    ndarray, shape (n, n + 1)
        Rows and columns in the order of the axes; those not of space stay.
    """
    result = affine_map.identity(len(axes))
    positions = spatial_positions(axes)
    for row, p in enumerate(positions):
        if p < 0:
            continue
        for column, q in enumerate(positions):
            if q >= 0:
                result[p, q] = placement.matrix[row, column]
        result[p, -1] = placement.matrix[row, 3]
    return result


def _note_left_out(
    findings: Findings, where: str, expected: str, image: ImageMap
) -> None:
    findings.warning(
        "unsupported-transform",
        where,
        f"expected a level {expected} in {where}; found"
        f" {image.matrix.tolist()!r:.80}; took it from the shapes",
    )
