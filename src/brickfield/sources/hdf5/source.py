"""Any dataset of an HDF5 file as a source.

A place is ``file.h5``, ``file.h5:/path`` or ``file.h5::path``; the path names a
dataset or a group. Without one, the largest drawable dataset is taken. Datasets
whose paths differ in numbers or factors alone and whose shapes shrink like a pyramid are its
levels; all heads of such families are offered as series.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import OptionError, StoreFormatError, StoreNotFoundError
from brickfield.model import Channel, Finding, ImageInfo, Pyramid, ScaleLevel
from brickfield.sources.arrays.stored import AssembledSource, identity_of
from brickfield.sources.boundary import series_index
from brickfield.sources.geometry import (
    aligned_geometry,
    make_level,
    parse_axes,
    spatial_positions,
)
from brickfield.sources.hdf5.dataset import HDF5Dataset
from brickfield.sources.hdf5.file import (
    SUFFIXES,
    DatasetSummary,
    closing_on_error,
    has_signature,
    list_datasets,
    open_file,
    split_uri,
)
from brickfield.sources.hdf5.links import HDF5Links, close_files, find, links_of
from brickfield.sources.hdf5.listing import is_computed, linked_datasets
from brickfield.sources.hdf5.places import files_of_shared
from brickfield.sources.hdf5.scales import DatasetGeometry, geometry_of
from brickfield.sources.protocol import ArrayHeader, StoredArray


def matches(uri: str) -> bool:
    """Whether this looks like an HDF5 file: by its suffix or its first bytes."""
    path, _ = split_uri(uri)
    return path.suffix.lower() in SUFFIXES or has_signature(path)


def open_source(
    uri: str,
    *,
    series: int | str | None = None,
    paths: Sequence[str] | None = None,
    axes: str | None = None,
    follow_links: bool = False,
) -> AssembledSource:
    """Open a dataset, or several as levels.

    Parameters
    ----------
    uri : str
        File, with or without a path inside.
    series : int, str or None
        One of ``info.series`` instead of the largest.
    paths : sequence of str or None
        Datasets to take as levels, finest first.
    axes : str or None
        For example ``"tczyx"``, when the file is silent or wrong.
    follow_links : bool
        Let the file name files of other folders.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError
    MissingExtraError
        If a compression filter is not installed.
    """
    path, inside = split_uri(uri)
    shared = open_file(path)
    links = links_of(path, follow=follow_links)
    with closing_on_error(shared) as file:
        families = _families(file, path, inside, links)
        chosen = _choose(file, families, links, series=series, paths=paths)
        images = [f for f in families if not is_computed(f[0])] or families
        findings = _also_there(
            chosen,
            images,
            is_asked=any(v is not None for v in (series, paths, inside)),
        )
        datasets = [_dataset(file, name, links) for name in chosen]
        stored = [HDF5Dataset.of(d) for d in datasets]
        pyramid = _pyramid(datasets, stored, axes)
        info = ImageInfo(
            uri=str(uri),
            format="HDF5",
            name=path.stem if images == [chosen] else chosen[0].strip("/"),
            pyramid=pyramid,
            channels=_channels(pyramid),
            series=tuple(family[0] for family in images),
            findings=(*findings, *links.findings),
        )
        return AssembledSource(
            info,
            identity_of(path, *chosen, axes),
            lambda level, _lead: stored[level],
            places=lambda: files_of_shared(shared),
            close=lambda: close_files(shared, links),
        )


def _families(
    file: Any, path: Path, inside: str | None, links: HDF5Links
) -> list[list[str]]:
    """Paths of datasets grouped to pyramids: the largest first, computed ones last."""
    place = file
    if inside is not None:
        place = find(file, f"/{inside}", links)
        if place is None:
            known = ", ".join(s.path for s in list_datasets(file)[:8]) or "none"
            msg = f"expected {inside} in {path}; found no such path; datasets: {known}"
            raise StoreNotFoundError(msg)
        if hasattr(place, "shape"):
            # Behind a link the name is that in the other file.
            return [[inside]]
    listed = [*list_datasets(place), *linked_datasets(place, links)]
    found = sorted(listed, key=lambda s: -s.size)
    if not found:
        msg = (
            f"expected a dataset of numbers with two or more axes in {path}; found"
            " none: name one with FILE:/path"
        )
        raise StoreFormatError(msg)
    kinds: dict[tuple[str, int, str], list[DatasetSummary]] = {}
    for summary in found:
        kind = (_alike(summary.path), len(summary.shape), summary.dtype)
        kinds.setdefault(kind, []).append(summary)
    families: list[list[DatasetSummary]] = []
    for members in kinds.values():
        is_one = len(members) > 1 and _is_pyramid([m.shape for m in members])
        families += [members] if is_one else [[m] for m in members]
    families.sort(key=lambda family: (is_computed(family[0].path), -family[0].size))
    return [[m.path for m in family] for family in families]


def _alike(path: str) -> str:
    """Spell the paths of levels alike: numbers do not count, nor factors at the end.

    Luxendo's levels are ``Data``, ``Data_2_2_2``, ``Data_4_4_4``, …
    """
    return re.sub(r"\d+", "#", re.sub(r"(_\d+){3}$", "", path))


def _is_pyramid(shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether shapes shrink by whole factors along the last three axes alone."""
    first = shapes[0]
    for finer, shape in pairwise(shapes):
        if shape[:-3] != first[:-3] or np.prod(shape) > 0.6 * np.prod(finer):
            return False
        for n, m in zip(first[-3:], shape[-3:], strict=True):
            factor = max(1, round(n / m))
            if m not in {ceil(n / factor), floor(n / factor), round(n / factor)}:
                return False
    return True


def _choose(
    file: Any,
    families: list[list[str]],
    links: HDF5Links,
    *,
    series: int | str | None,
    paths: Sequence[str] | None,
) -> list[str]:
    if paths:
        return [str(_dataset(file, p, links).name) for p in paths]
    heads = [family[0] for family in families]
    return families[series_index(heads, series, where=links.root.document)]


def _dataset(file: Any, inside: str, links: HDF5Links) -> Any:
    item = find(file, f"/{inside}", links)
    if item is None or not hasattr(item, "shape"):
        where = links.root.document
        msg = f"expected a dataset {inside} in {where}; found none: check the path"
        raise StoreNotFoundError(msg)
    return item


def _also_there(
    chosen: list[str], families: list[list[str]], *, is_asked: bool
) -> list[Finding]:
    if is_asked or len(families) == 1:
        return []
    text = (
        f"expected one image; found {len(families)}: the largest, {chosen[0]}, was"
        " opened; the others are series"
    )
    return [Finding("info", "several-datasets", "/", text)]


def _pyramid(
    datasets: list[Any], stored: list[StoredArray], axes: str | None
) -> Pyramid:
    base = _checked_geometry(datasets[0], axes)
    spatial = spatial_positions(base.axes)
    levels: list[ScaleLevel] = []
    for dataset, array in zip(datasets, stored, strict=True):
        own = _checked_geometry(dataset, axes)
        _check_level(dataset, datasets[0], spatial)
        size, shift = own.voxel_size, own.translation
        if levels and size in {base.voxel_size, (1.0,) * len(size)}:
            # The file gives this level no size of its own.
            shapes = np.array([datasets[0].shape, dataset.shape], dtype=np.float64)
            factors = (shapes[0] / shapes[1]).tolist()
            size, shift = aligned_geometry(base.voxel_size, base.translation, factors)
        elif levels and shift == base.translation:
            factors = np.divide(size, base.voxel_size).tolist()
            _, shift = aligned_geometry(base.voxel_size, base.translation, factors)
        level = make_level(
            str(dataset.name),
            ArrayHeader.of(array),
            base.axes,
            voxel_size=size,
            translation=shift,
        )
        levels.append(level)
    return Pyramid(base.axes, tuple(levels))


def _checked_geometry(dataset: Any, axes: str | None) -> DatasetGeometry:
    kind, ndim = np.dtype(dataset.dtype).kind, len(dataset.shape or ())
    if kind not in "biuf" or ndim < 2 or 0 in dataset.shape:
        msg = (
            f"expected numbers with two or more axes in {dataset.name}; found"
            f" {dataset.dtype} of shape {dataset.shape}"
        )
        raise StoreFormatError(msg)
    found = geometry_of(dataset)
    if axes is None:
        return found
    return replace(found, axes=parse_axes(axes, dataset.shape))


def _check_level(dataset: Any, first: Any, spatial: tuple[int, int, int]) -> None:
    others = [a for a in range(len(first.shape)) if a not in spatial]
    if (
        len(dataset.shape) != len(first.shape)
        or dataset.dtype != first.dtype
        or any(dataset.shape[a] != first.shape[a] for a in others)
    ):
        msg = (
            "expected levels of one data type that differ along z, y and x alone; found"
            f" {first.name} {first.dtype} {first.shape} and {dataset.name}"
            f" {dataset.dtype} {dataset.shape}"
        )
        raise OptionError(msg)


def _channels(pyramid: Pyramid) -> tuple[Channel, ...]:
    c = pyramid.channel_axis
    n = 1 if c is None else pyramid.levels[0].shape[c]
    return tuple(Channel(str(i)) for i in range(n))
