"""The pyramid of an OME-Zarr image: arrays and transformations put together.

A level's voxel size and translation are those of the file, whatever they are.
Only where a file gives none, or gives all levels the same voxel size although
their shapes differ, they follow from the shapes, as if all levels had the same
edges; that is always a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from brickfield.errors import OptionError, StoreFormatError
from brickfield.model import (
    MAX_LEVELS,
    Axis,
    Int3,
    Pyramid,
    ScaleLevel,
    choose_chunk_shape,
)
from brickfield.sources.geometry import Findings, is_usable_scale, spatial_positions
from brickfield.sources.ome_zarr.transforms import BoxTransform
from brickfield.sources.zarr.metadata import ZarrArrayMeta

NO_PYRAMID_VOXELS = 64 << 20
"""A single level above this size is slow to look at as a whole."""
LARGE_CHUNK_BYTES = 256 << 20


@dataclass(frozen=True)
class LevelDraft:
    """One level before the pyramid is put together.

    Attributes
    ----------
    meta : ZarrArrayMeta
    chunk_shape : tuple of int
        Unit of decoding, all axes.
    own : BoxTransform
        The dataset's own transformation.
    where : str
        Place in the metadata.
    """

    meta: ZarrArrayMeta
    chunk_shape: tuple[int, ...]
    own: BoxTransform
    where: str


def usable_levels(
    drafts: Sequence[tuple[ZarrArrayMeta, str]], findings: Findings
) -> list[tuple[ZarrArrayMeta, str]]:
    """Leave out levels that do not fit the first, finest first.

    Parameters
    ----------
    drafts : sequence of (ZarrArrayMeta, str)
        Arrays and their places in the metadata.

    Raises
    ------
    StoreFormatError
        If no level has voxels.
    """
    filled = []
    for meta, where in drafts:
        if meta.n_voxels > 0 and meta.shape:
            filled.append((meta, where))
        else:
            _left_out(
                findings, where, meta, f"the shape {list(meta.shape)} without voxels"
            )
    if not filled:
        msg = "expected an array with voxels; found none: every level is empty"
        raise StoreFormatError(msg)
    ordered = sorted(filled, key=lambda item: -prod(item[0].shape))
    if ordered != filled:
        findings.warning(
            "levels-reordered",
            "multiscales",
            "expected levels from fine to coarse; found"
            f" {[list(m.shape) for m, _ in filled]}; put the finest first",
        )
    first = ordered[0][0]
    kept = [ordered[0]]
    for meta, where in ordered[1:]:
        if len(meta.shape) != len(first.shape):
            _left_out(
                findings, where, meta, f"{len(meta.shape)} axes, not {len(first.shape)}"
            )
        else:
            _note_type(meta, first, where, findings)
            kept.append((meta, where))
    if len(kept) > MAX_LEVELS:
        findings.warning(
            "too-many-levels",
            "multiscales",
            f"expected at most {MAX_LEVELS} levels; found {len(kept)}; left the coarsest out",
        )
    return kept[:MAX_LEVELS]


def _note_type(
    meta: ZarrArrayMeta, first: ZarrArrayMeta, where: str, findings: Findings
) -> None:
    if meta.dtype != first.dtype:
        findings.warning(
            "level-dtype",
            where,
            f"expected voxels of type {first.dtype} at {meta.path!r}, as in the finest"
            f" level; found {meta.dtype}; converted them",
        )


def _left_out(findings: Findings, where: str, meta: ZarrArrayMeta, found: str) -> None:
    findings.error(
        "level-left-out",
        where,
        f"expected an array like the other levels at {meta.path!r}; found {found}; left"
        " the level out",
    )


def build_pyramid(
    axes: tuple[Axis, ...],
    drafts: Sequence[LevelDraft],
    outer: BoxTransform,
    *,
    chunk_edge: int,
    findings: Findings,
) -> Pyramid:
    """Put levels together, finest first.

    Parameters
    ----------
    axes : tuple of Axis
    drafts : sequence of LevelDraft
    outer : BoxTransform
        Applied to every level after its own.
    chunk_edge : int
        Wished edge of planned chunks, voxels.
    """
    spatial = spatial_positions(axes)
    drafts = _with_equal_selections(drafts, spatial, findings)
    inner = _own_transforms(drafts, spatial, findings)
    levels = []
    for draft, own in zip(drafts, inner, strict=True):
        world = own.then(outer)
        meta = draft.meta
        levels.append(
            ScaleLevel(
                path=meta.path,
                shape=meta.shape,
                dtype=drafts[0].meta.dtype,
                storage_chunk_shape=draft.chunk_shape,
                voxel_size=world.scale,
                translation=world.translation,
                spatial_axes=spatial,
                chunk_shape=choose_chunk_shape(
                    pick(meta.shape, spatial),
                    pick(draft.chunk_shape, spatial),
                    edge=chunk_edge,
                ),
                fill_value=meta.fill_value,
            )
        )
    pyramid = Pyramid(axes, tuple(levels))
    _check_sizes(pyramid, drafts, findings)
    return pyramid


def pick(values: Sequence[int], spatial: Int3) -> Int3:
    """Pick the z, y and x entries, 1 for an absent axis.

    Parameters
    ----------
    values : sequence of int
        One per axis.
    spatial : Int3
        Positions of z, y and x; -1 for an absent axis.
    """
    z, y, x = (int(values[p]) if p >= 0 else 1 for p in spatial)
    return (z, y, x)


def _with_equal_selections(
    drafts: Sequence[LevelDraft], spatial: Int3, findings: Findings
) -> list[LevelDraft]:
    """Leave out levels with fewer channels or time points than the finest.

    Coarser ones with more along the first axis are cut: whoever writes an image that
    grows makes them longer one by one.
    """
    first = drafts[0].meta.shape
    others = [i for i in range(len(first)) if i not in spatial]
    kept = []
    for given in drafts:
        draft = given
        if 0 in others and given.meta.shape[0] > first[0]:
            shape = (first[0], *given.meta.shape[1:])
            draft = replace(given, meta=replace(given.meta, shape=shape))
        if all(draft.meta.shape[i] == first[i] for i in others):
            kept.append(draft)
        else:
            _left_out(
                findings,
                draft.where,
                draft.meta,
                f"the shape {list(draft.meta.shape)} beside {list(first)}",
            )
    return kept


def _own_transforms(
    drafts: Sequence[LevelDraft], spatial: Int3, findings: Findings
) -> list[BoxTransform]:
    base = drafts[0]
    result = [base.own]
    all_equal = len(drafts) > 1 and all(
        pick_floats(d.own.scale, spatial) == pick_floats(base.own.scale, spatial)
        for d in drafts
    )
    shapes = {pick(d.meta.shape, spatial) for d in drafts}
    if all_equal and len(shapes) == len(drafts) and base.own.has_scale:
        findings.warning(
            "equal-scales",
            base.where,
            "expected voxel sizes that grow as the shapes shrink; found the same for"
            " all levels; took them from the shapes",
        )
    else:
        all_equal = False
    for draft in drafts[1:]:
        if draft.own.has_scale and not all_equal:
            result.append(draft.own)
        else:
            result.append(_from_shapes(base, draft, spatial))
    _note_missing_scales(drafts, findings)
    return result


def pick_floats(values: Sequence[float], spatial: Int3) -> list[float]:
    """Pick the entries of the spatial axes that exist.

    Parameters
    ----------
    values : sequence of float
        One per axis.
    spatial : Int3
        Positions of z, y and x; -1 for an absent axis.
    """
    return [values[p] for p in spatial if p >= 0]


def _note_missing_scales(drafts: Sequence[LevelDraft], findings: Findings) -> None:
    for draft in drafts:
        if not draft.own.has_scale:
            findings.info(
                "no-scale",
                f"{draft.where}.coordinateTransformations",
                f"expected a scale in {draft.where}.coordinateTransformations; found"
                " none; took it from the shapes",
            )


def _from_shapes(base: LevelDraft, draft: LevelDraft, spatial: Int3) -> BoxTransform:
    """Lay a level over the same edges as the finest one."""
    scale, shift = list(base.own.scale), list(base.own.translation)
    for axis in (p for p in spatial if p >= 0):
        factor = _factor(base.meta.shape[axis], draft.meta.shape[axis])
        shift[axis] += (factor - 1) / 2 * scale[axis]
        scale[axis] *= factor
    return BoxTransform(tuple(scale), tuple(shift), True)


def _factor(fine: int, coarse: int) -> float:
    """Voxel ratio of two lengths: a whole number if one explains them."""
    whole = max(1, round(fine / coarse))
    if fine // whole == coarse or -(-fine // whole) == coarse:
        return float(whole)
    return fine / coarse


def _check_sizes(
    pyramid: Pyramid, drafts: Sequence[LevelDraft], findings: Findings
) -> None:
    base = pyramid.levels[0]
    size0 = np.array(base.voxel_size_zyx)
    extent0 = size0 * base.shape_zyx
    for level, draft in zip(pyramid.levels, drafts, strict=True):
        size = np.array(level.voxel_size_zyx)
        extent = size * level.shape_zyx
        slack = 2 * np.maximum(size, size0)
        if (np.abs(extent - extent0) > np.maximum(slack, 0.05 * extent0)).any():
            findings.warning(
                "level-extent",
                draft.where,
                f"expected all levels to cover one region; found {draft.meta.path!r} to"
                f" measure {extent.tolist()} against {extent0.tolist()}; drew it as stored",
            )
        n_bytes = prod(draft.chunk_shape) * level.dtype.itemsize
        if n_bytes > LARGE_CHUNK_BYTES:
            findings.warning(
                "large-chunk",
                draft.where,
                f"expected storage chunks of some MiB; found {n_bytes >> 20} MiB in"
                f" {draft.meta.path!r}: every view reads whole ones",
            )
    if pyramid.n_levels == 1 and base.n_voxels > NO_PYRAMID_VOXELS:
        findings.warning(
            "no-pyramid",
            drafts[0].where,
            f"expected coarser levels beside {base.n_voxels / 1e6:.0f} million voxels;"
            ' found none: write them with "brickfield pyramid"',
        )


def with_voxel_size(pyramid: Pyramid, size: Sequence[float]) -> Pyramid:
    """Give level 0 another voxel size and change all levels in proportion.

    Parameters
    ----------
    pyramid : Pyramid
    size : sequence of float
        One for each axis, or one for each axis of space.

    Raises
    ------
    OptionError
        If the numbers do not fit the axes or are not above zero.
    """
    spatial = [p for p in pyramid.spatial_axes if p >= 0]
    wished = [float(v) for v in size]
    if len(wished) not in (len(pyramid.axes), len(spatial)) or not is_usable_scale(
        wished
    ):
        msg = (
            f"expected a scale of {len(spatial)} numbers above 0, one for each axis of"
            f" space; found {tuple(size)}"
        )
        raise OptionError(msg)
    if len(wished) != len(pyramid.axes):
        full = list(pyramid.levels[0].voxel_size)
        for position, value in zip(spatial, wished, strict=True):
            full[position] = value
        wished = full
    old = pyramid.levels[0].voxel_size
    ratio = [new / was for new, was in zip(wished, old, strict=True)]
    levels = tuple(_rescaled(level, ratio) for level in pyramid.levels)
    return Pyramid(pyramid.axes, levels)


def _rescaled(level: ScaleLevel, ratio: Sequence[float]) -> ScaleLevel:
    size = tuple(s * r for s, r in zip(level.voxel_size, ratio, strict=True))
    shift = tuple(t * r for t, r in zip(level.translation, ratio, strict=True))
    return replace(level, voxel_size=size, translation=shift)
