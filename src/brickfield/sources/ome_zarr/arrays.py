"""The arrays of one image: found, checked and opened together.

An array that is not there or cannot be decoded is left out with a finding; the
image opens as long as one is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError, StoreFormatError
from brickfield.model import AffineTransform, Axis, Pyramid
from brickfield.sources.arrays.cast import CastArray
from brickfield.sources.coordinates.parse import ReadArray
from brickfield.sources.geometry import (
    Findings,
    axis_named,
    default_axes,
    parse_axes,
)
from brickfield.sources.io.location import Location
from brickfield.sources.ome_zarr.axes import read_axes, with_space
from brickfield.sources.ome_zarr.levels import (
    LevelDraft,
    build_pyramid,
    usable_levels,
    with_voxel_size,
)
from brickfield.sources.ome_zarr.metadata import Multiscale, path_inside
from brickfield.sources.ome_zarr.placing import SystemMap, place, reordered
from brickfield.sources.ome_zarr.plate import choose
from brickfield.sources.ome_zarr.transforms import ImageMap, TransformReader
from brickfield.sources.protocol import StoredArray
from brickfield.sources.zarr.chunk_names import with_stored_names
from brickfield.sources.zarr.hierarchy import ZarrHierarchy, ZarrNode
from brickfield.sources.zarr.metadata import ZarrArrayMeta, parse_array

Found = list[tuple[ZarrArrayMeta, str]]
"""Arrays and their places in the metadata."""
_OPENED_AT_ONCE = 8
_MOST_NUMBERS = 1 << 16
"""Numbers of an array that holds a transformation."""


@dataclass(frozen=True)
class ImageArrays:
    """Arrays of the image's levels, before they are opened.

    Attributes
    ----------
    found : list of (ZarrArrayMeta, str)
        Finest first.
    series : tuple of str
        Other arrays that could have been chosen.
    image : Multiscale or None
        None for arrays without such metadata.
    """

    found: Found
    series: tuple[str, ...] = ()
    image: Multiscale | None = None


def join(*parts: str) -> str:
    """Join paths inside a store; empty parts vanish."""
    return "/".join(p for p in parts if p)


def arrays_of_image(
    hierarchy: ZarrHierarchy,
    path: str,
    image: Multiscale,
    findings: Findings,
    *,
    beside: Sequence[str] = (),
) -> ImageArrays:
    """Read the arrays that an image's datasets name.

    Parameters
    ----------
    path : str
        The image's group.
    beside : sequence of str
        Further nodes to read in the same round trip.

    Raises
    ------
    StoreFormatError
        If none of them can be used.
    """
    paths = [join(path, d.path) for d in image.datasets]
    nodes = hierarchy.nodes([*paths, *beside])
    found: Found = []
    reasons = []
    for full, dataset in zip(paths, image.datasets, strict=True):
        node = nodes[full]
        reason = ""
        if node is None or node.kind != "array":
            is_refused = node is None and hierarchy.is_refused(full)
            if is_refused and dataset is image.datasets[0]:
                raise hierarchy.refusal(full)
            what = "nothing" if node is None else "a group"
            what = "that access is denied" if is_refused else what
            reason = (
                f"expected an array at {full!r} as {dataset.where}.path says; found"
                f" {what} there"
            )
        else:
            try:
                found.append((parse_array(node, findings), dataset.where))
            except StoreFormatError as exc:
                reason = str(exc)
        if reason:
            findings.error(
                "level-missing", dataset.where, f"{reason}; left the level out"
            )
            reasons.append(reason)
    if not found:
        raise StoreFormatError(reasons[0])
    return ImageArrays(usable_levels(found, findings), image=image)


def arrays_of_group(
    hierarchy: ZarrHierarchy,
    node: ZarrNode,
    findings: Findings,
    series: int | str | None,
) -> ImageArrays:
    """Return a single array, or the arrays of a group without metadata.

    Parameters
    ----------
    hierarchy : ZarrHierarchy
    node : ZarrNode
        Array or group.
    findings : Findings
        Receives what is odd.
    series : int, str or None
        Which array, by position or name; None for the first or for levels.

    Raises
    ------
    StoreFormatError
        If there is no usable array.
    """
    if node.kind == "array":
        return ImageArrays(usable_levels([(parse_array(node, findings), "")], findings))
    nodes = hierarchy.nodes([join(node.path, c) for c in hierarchy.children(node.path)])
    found: Found = []
    reason = f"expected arrays in {hierarchy.location.uri}; found none"
    for child in nodes.values():
        if child is None or child.kind != "array":
            continue
        try:
            meta = parse_array(child, findings)
        except StoreFormatError as exc:
            reason = str(exc)
            continue
        if meta.n_voxels and meta.shape:
            found.append((meta, child.path))
    if not found:
        raise StoreFormatError(reason)
    names = tuple(m.path.rpartition("/")[2] for m, _ in found)
    levels = sorted(found, key=lambda item: -item[0].n_voxels)
    if series is None and len(levels) > 1 and _look_like_levels([m for m, _ in levels]):
        findings.warning(
            "guessed-levels",
            node.path,
            f"expected multiscales; found arrays {', '.join(names)} that shrink alike;"
            " took them for levels",
        )
        return ImageArrays(usable_levels(levels, findings))
    if len(levels) > 1:
        findings.info(
            "several-arrays",
            node.path,
            f"expected multiscales; found arrays {', '.join(names)}; opened one of them",
        )
    own = found[choose(series, names, "series")] if series is not None else levels[0]
    return ImageArrays([own], names if len(names) > 1 else ())


def _look_like_levels(metas: Sequence[ZarrArrayMeta]) -> bool:
    first = metas[0]
    for fine, coarse in pairwise(metas):
        if len(coarse.shape) != len(fine.shape) or coarse.dtype != first.dtype:
            return False
        ratios = [f / c for f, c in zip(fine.shape, coarse.shape, strict=True)]
        if min(ratios) < 1 or not 1.4 <= max(ratios) <= 16:
            return False
    return True


def axes_of(
    arrays: ImageArrays,
    wanted: str | Sequence[str | Axis] | None,
    findings: Findings,
) -> tuple[Axis, ...]:
    """Find the axes of an image's arrays.

    Parameters
    ----------
    wanted : str, sequence or None
        What the user says, which goes before everything stored.

    Raises
    ------
    OptionError
        If what the user says does not fit.
    """
    meta = arrays.found[0][0]
    if wanted is not None:
        return parse_axes(wanted, meta.shape)
    if arrays.image is not None:
        return read_axes(
            arrays.image.axes,
            len(meta.shape),
            names=meta.dimension_names,
            findings=findings,
            where=arrays.image.axes_where,
        )
    named = meta.dimension_names or meta.attributes.get("_ARRAY_DIMENSIONS")
    axes: tuple[Axis, ...] = ()
    if isinstance(named, list | tuple) and len(named) == len(meta.shape):
        axes = tuple(axis_named(str(n)) for n in named)
    if not any(a.kind == "space" for a in axes):
        axes = default_axes(meta.shape)
        findings.info(
            "no-axes",
            meta.path,
            f"expected names of axes; found none that are known; took"
            f" {', '.join(a.name for a in axes)}",
        )
    return with_space(axes, findings, meta.path)


def open_levels(
    location: Location,
    found: Found,
    findings: Findings,
    *,
    denied_is_missing: bool,
) -> list[tuple[ZarrArrayMeta, str, StoredArray]]:
    """Open arrays, those of a server concurrently; leave out those that cannot be decoded.

    Parameters
    ----------
    location : Location
    found : Found
        Metadata of each array and where it is named.
    findings : Findings
        Receives what is odd.
    denied_is_missing : bool
        Take a server's refusal for "not stored".

    Raises
    ------
    StoreFormatError
        If none can be decoded.
    """

    def opened(meta: ZarrArrayMeta) -> StoredArray | BrickfieldError:
        try:
            return open_array(
                location.child(meta.path), meta, denied_is_missing=denied_is_missing
            )
        except BrickfieldError as exc:
            return exc

    found = [(_as_stored(location, m, where, findings), where) for m, where in found]
    metas = [meta for meta, _ in found]
    if location.local is not None:
        # Beginning the threads takes longer than opening files that lie here.
        results = [opened(meta) for meta in metas]
    else:
        n_threads = min(_OPENED_AT_ONCE, len(metas))
        with ThreadPoolExecutor(n_threads, "brickfield-open") as pool:
            results = list(pool.map(opened, metas))
    levels: list[tuple[ZarrArrayMeta, str, StoredArray]] = []
    for (meta, where), result in zip(found, results, strict=True):
        if isinstance(result, BrickfieldError):
            findings.error("level-left-out", where, f"{result}; left the level out")
            continue
        dtype = levels[0][2].dtype if levels else meta.dtype
        array = result if meta.dtype == dtype else CastArray(result, dtype)
        levels.append((meta, where, array))
    if not levels:
        first = results[0]
        assert isinstance(first, BrickfieldError)
        raise first
    return levels


def _as_stored(
    location: Location, meta: ZarrArrayMeta, where: str, findings: Findings
) -> ZarrArrayMeta:
    folder = location.child(meta.path).local
    return meta if folder is None else with_stored_names(folder, meta, where, findings)


def open_array(
    location: Location, meta: ZarrArrayMeta, *, denied_is_missing: bool = False
) -> StoredArray:
    """Open one array with tensorstore, or with zarr-python if it lacks a codec.

    Parameters
    ----------
    location : Location
    meta : ZarrArrayMeta
    denied_is_missing : bool
        Take a server's refusal for "not stored".

    Raises
    ------
    StoreFormatError
        If neither can decode it.
    """
    # Only the reader that is needed gets imported: each takes a while.
    if meta.is_native:
        from brickfield.sources.zarr.tensorstore_array import TensorStoreArray

        try:
            return TensorStoreArray(location, meta, denied_is_missing=denied_is_missing)
        except StoreFormatError as exc:
            reason = exc
    else:
        reason = None
    from brickfield.sources.zarr.zarr_python_array import ZarrPythonArray

    try:
        return ZarrPythonArray(location, meta, denied_is_missing=denied_is_missing)
    except StoreFormatError:
        if reason is not None:
            raise reason from None
        raise


def read_numbers(hierarchy: ZarrHierarchy, group: str, inside: str) -> NDArray[Any]:
    """Read the whole of a small array, such as the matrix of a transformation.

    Parameters
    ----------
    group, inside : str
        Path of a group, and that of the array below it.

    Returns
    -------
    ndarray
        Of the array's own shape and type.

    Raises
    ------
    StoreFormatError
        If there is no such array, or a large one.
    """
    path = path_inside(group, inside)
    node = None if path is None else hierarchy.node(path)
    if node is None or node.kind != "array":
        msg = f"expected an array of numbers at {inside!r}; found none there"
        raise StoreFormatError(msg)
    meta = parse_array(node, Findings())
    if not 0 < meta.n_voxels <= _MOST_NUMBERS:
        shape = " × ".join(map(str, meta.shape))
        msg = f"expected a small matrix at {inside!r}; found an array of {shape}"
        raise StoreFormatError(msg)
    array = open_array(hierarchy.location.child(node.path), meta)
    result = np.full(array.shape, meta.fill_value, array.dtype)
    chunk = array.chunk_shape
    counts = [-(-n // c) for n, c in zip(array.shape, chunk, strict=True)]
    for index in np.ndindex(*counts):
        found = array.read_chunk(index).data
        if found is not None:
            at = [slice(i * c, (i + 1) * c) for i, c in zip(index, chunk, strict=True)]
            result[tuple(at)] = found
    return result


def assemble_pyramid(  # noqa: PLR0913 - everything that a file and a user say
    arrays: ImageArrays,
    axes: tuple[Axis, ...],
    levels: Sequence[tuple[ZarrArrayMeta, str, StoredArray]],
    findings: Findings,
    *,
    scene: SystemMap | None = None,
    read_array: ReadArray | None = None,
    chunk_edge: int = 64,
    scale: Sequence[float] | None = None,
) -> tuple[Pyramid, AffineTransform | None]:
    """Read transformations and put the levels together, finest first.

    Parameters
    ----------
    scene : SystemMap, optional
        Where the 0.6 scene round the image puts it.
    read_array : callable, optional
        Returns the numbers of an array in the image's group.
    chunk_edge : int
        Wished edge of planned chunks, voxels.
    scale : sequence of float, optional
        Voxel size of level 0 that the user gives instead of the stored one.

    Returns
    -------
    pyramid : Pyramid
    placement : AffineTransform or None
        What turns, shears or mirrors the box of the pyramid in the world.

    Raises
    ------
    StoreFormatError
        If a stored scale does not fit the axes and none is given.
    OptionError
        If the given one does not fit.
    """
    rank, image = len(axes), arrays.image
    reader = TransformReader(
        rank,
        findings,
        is_replaced=scale is not None,
        read_array=read_array,
        names=[axis.name for axis in axes],
    )
    own = {d.where: d for d in image.datasets} if image is not None else {}
    maps = []
    for meta, where, _ in levels:
        stored = own[where].transforms if where in own else None
        at = f"{where}.coordinateTransformations"
        is_first = meta is levels[0][0]
        maps.append(reader.read(stored, at) if image else _pixel(rank, is_first))
    if reader.has_left_out:
        # Some levels would follow the file and others their shapes: they all do these.
        maps = [ImageMap.identity(rank)] * len(maps)
    outer = _outer(image, scene, axes, reader, findings)
    places = [where for _, where, _ in levels]
    placed = place(maps, outer, axes, places, findings)
    drafts = [
        LevelDraft(meta, tuple(array.chunk_shape), box, where)
        for (meta, where, array), box in zip(levels, placed.own, strict=True)
    ]
    built = build_pyramid(
        axes, drafts, placed.outer, chunk_edge=chunk_edge, findings=findings
    )
    pyramid = built if scale is None else with_voxel_size(built, scale)
    return pyramid, placed.placement


def _outer(
    image: Multiscale | None,
    scene: SystemMap | None,
    axes: tuple[Axis, ...],
    reader: TransformReader,
    findings: Findings,
) -> ImageMap:
    """Read what comes after the levels' own transformations."""
    rank = len(axes)
    same = ImageMap.identity(rank)
    if image is None:
        return same
    where = f"{image.where}.coordinateTransformations"
    outer, outputs = same, axes
    if scene is not None:
        # The scene leads from the image's own system; further ones do not count.
        where, outputs = "scene.coordinateTransformations", scene.axes
        if scene.matrix.shape[1] == rank + 1:
            outer = ImageMap(scene.matrix)
    else:
        outputs = image.outer_axes or axes
        outer = reader.read(image.transforms, where, [axis.name for axis in outputs])
    try:
        return ImageMap(reordered(outer.matrix, axes, outputs), outer.has_scale)
    except StoreFormatError as error:
        findings.error("unsupported-transform", where, f"{error}; left it out")
        return same


def _pixel(rank: int, is_first: bool) -> ImageMap:
    return replace(ImageMap.identity(rank), has_scale=is_first)
