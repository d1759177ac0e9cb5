"""Arrays in memory (or behind an array library) as a source.

The voxels are never copied as a whole and never computed before they are asked
for. What a plain array cannot say (axes, voxel sizes, alignment of levels) is
taken from the arguments, else from ranks and shapes, and every guess that a user
might want to know of becomes a finding.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np

from brickfield.errors import OptionError
from brickfield.model import Axis, Finding, ImageInfo, Pyramid
from brickfield.sources.array_libraries.places import places_of_array
from brickfield.sources.array_libraries.wrapping import (
    as_stored_array,
    check_array,
    dtype_of,
)
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.boundary import numbered_channels
from brickfield.sources.geometry import (
    MASKED,
    aligned_geometry,
    is_usable_scale,
    make_level,
    parse_axes,
    spatial_positions,
)
from brickfield.sources.protocol import ArrayHeader

Values = float | Sequence[float] | Sequence[Sequence[float]] | None


def from_arrays(
    arrays: Any,
    *,
    scale: Values = None,
    translation: Values = None,
    axes: str | Sequence[str | Axis] | None = None,
    name: str = "array",
    is_labels: bool = False,
) -> AssembledSource:
    """Make a source of one array or of a list of levels.

    Parameters
    ----------
    arrays : array or sequence of arrays
        numpy, memmap, dask, zarr, tensorstore, h5py, or anything with ``shape``,
        ``dtype`` and slicing; two or more axes. Levels run from fine to coarse and
        differ along the spatial axes alone.
    scale, translation : float, sequence, or sequence of sequences
        Voxel size and world coordinate of the centre of voxel 0: for all axes, or
        for the spatial axes (z, y, x), of level 0; one sequence for each level
        gives all of them. Other levels follow from the ratio of shapes over the
        same extent. Default 1 and 0.
    axes : str or sequence
        For example ``"tczyx"``; see
        :func:`~brickfield.sources.geometry.default_axes`.
    name : str
    is_labels : bool
        Whether voxels are object numbers.

    Raises
    ------
    OptionError
        If an array cannot be drawn, or the arguments do not fit the arrays.
    """
    levels, findings = _ordered_levels(arrays)
    findings += _masked(levels)
    parsed = parse_axes(axes, levels[0].shape)
    _check_alike(levels, parsed)
    stored = [as_stored_array(a, parsed, str(i)) for i, a in enumerate(levels)]
    sizes, shifts = _geometry(levels, parsed, scale, translation)
    pyramid = Pyramid(
        parsed,
        tuple(
            make_level(
                str(i), ArrayHeader.of(a), parsed, voxel_size=size, translation=shift
            )
            for i, (a, size, shift) in enumerate(
                zip(stored, sizes, shifts, strict=True)
            )
        ),
    )
    c = pyramid.channel_axis
    n_channels = 1 if c is None else int(levels[0].shape[c])
    info = ImageInfo(
        uri=f"memory:{name}",
        format=f"{type(levels[0]).__module__.partition('.')[0]} array",
        name=name,
        pyramid=pyramid,
        channels=numbered_channels(n_channels),
        is_labels=is_labels,
        findings=tuple(findings),
    )
    unique = f"memory:{uuid.uuid4()}"
    source = AssembledSource(
        info,
        unique,
        lambda level, _lead: stored[level],
        places=lambda: [p for a in levels for p in places_of_array(a)],
    )
    # Not those that numpy maps from a file: reading them can fail, which chunks tell.
    if all(type(a) is np.ndarray for a in levels):
        source.in_memory = tuple(levels)
    return source


def _masked(levels: Sequence[Any]) -> list[Finding]:
    """Tell of masks, which nothing here knows; what is below them is drawn."""
    if not any(isinstance(a, np.ma.MaskedArray) and np.any(a.mask) for a in levels):
        return []
    text = (
        "expected arrays without a mask; found masked voxels, which count with the"
        " values below the mask: fill them first, as array.filled(0) does"
    )
    return [Finding("warning", MASKED, "array", text)]


def _ordered_levels(arrays: Any) -> tuple[list[Any], list[Finding]]:
    is_list = isinstance(arrays, Sequence) and not isinstance(arrays, str)
    levels = list(arrays) if is_list else [arrays]
    if not levels:
        msg = "expected at least one array; found an empty list"
        raise OptionError(msg)
    for i, array in enumerate(levels):
        check_array(array, f"level {i}" if is_list else "the image")
    sizes = [int(np.prod(a.shape, dtype=np.float64)) for a in levels]
    order = sorted(range(len(levels)), key=lambda i: -sizes[i])
    if order == list(range(len(levels))):
        return levels, []
    text = (
        "expected levels from the finest to the coarsest; found the order of sizes"
        f" {sizes}: they were sorted"
    )
    finding = Finding("warning", "levels-reordered", "arrays", text)
    return [levels[i] for i in order], [finding]


def _check_alike(levels: list[Any], axes: Sequence[Axis]) -> None:
    first = levels[0]
    spatial = spatial_positions(axes)
    others = [i for i in range(len(axes)) if i not in spatial]
    for i, level in enumerate(levels[1:], start=1):
        is_alike = (
            len(level.shape) == len(first.shape)
            and all(level.shape[a] == first.shape[a] for a in others)
            and dtype_of(level).newbyteorder("=") == dtype_of(first).newbyteorder("=")
        )
        if not is_alike:
            msg = (
                "expected levels of one data type that differ along z, y and x alone;"
                f" found {tuple(first.shape)} {first.dtype} at level 0 and"
                f" {tuple(level.shape)} {level.dtype} at level {i}"
            )
            raise OptionError(msg)


def _geometry(
    levels: list[Any], axes: Sequence[Axis], scale: Values, translation: Values
) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    sizes = _per_level(scale, axes, len(levels), what="scale", default=1.0)
    shifts = _per_level(translation, axes, len(levels), what="translation", default=0.0)
    if not all(is_usable_scale(size) for size in sizes):
        msg = f"expected a scale of finite values above 0; found {scale}"
        raise OptionError(msg)
    if not np.isfinite(shifts).all():
        msg = f"expected a translation of finite values; found {translation}"
        raise OptionError(msg)
    base = np.asarray(levels[0].shape, dtype=np.float64)
    for level in levels[len(sizes) :]:
        factors = (base / np.asarray(level.shape, dtype=np.float64)).tolist()
        sizes.append(aligned_geometry(sizes[0], (0.0,) * len(axes), factors)[0])
    for size in sizes[len(shifts) :]:
        factors = np.asarray(size) / np.asarray(sizes[0])
        shifts.append(aligned_geometry(sizes[0], shifts[0], factors.tolist())[1])
    return sizes, shifts


def _per_level(
    values: Values, axes: Sequence[Axis], n_levels: int, *, what: str, default: float
) -> list[tuple[float, ...]]:
    """Bring an argument to full rank: one row for level 0, or one for each level."""
    if values is None:
        return [(default,) * len(axes)]
    given = np.asarray(values, dtype=np.float64) if _is_regular(values) else None
    spatial = [p for p in spatial_positions(axes) if p >= 0]
    if given is not None and given.ndim == 0:
        given = np.full(len(spatial), float(given))
    if (
        given is None
        or given.ndim > 2
        or given.shape[-1] not in {len(axes), len(spatial)}
    ):
        msg = (
            f"expected a {what} of {len(axes)} values (all axes) or {len(spatial)}"
            f" (spatial axes); found {values}"
        )
        raise OptionError(msg)
    rows = np.atleast_2d(given)
    if given.ndim == 2 and len(rows) != n_levels:
        msg = f"expected a {what} for each of {n_levels} levels; found {len(rows)}"
        raise OptionError(msg)
    full = np.full((len(rows), len(axes)), default)
    full[:, spatial if rows.shape[1] != len(axes) else slice(None)] = rows
    return [tuple(row) for row in full.tolist()]


def _is_regular(values: Values) -> bool:
    try:
        np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True
