"""From what a user gives to a source: a path, a URL, or arrays.

One of several images in a store is chosen by its name, or by where it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from os import PathLike
from typing import Any

from brickfield.errors import OptionError
from brickfield.sources.open_image import (
    DEFAULT_CHUNK_EDGE,
    adjusted,
    checked_place,
    open_image,
    opening,
)
from brickfield.sources.protocol import ChunkSource


def open_source(  # noqa: PLR0913 - what a user can choose, in one place
    uri_or_arrays: Any,
    *,
    series: int | str | None = None,
    well: int | str | None = None,
    field: int | str | None = None,
    label: str | None = None,
    image: str | None = None,
    scale: Sequence[float] | None = None,
    axes: str | Sequence[str] | None = None,
    chunk_edge: int = DEFAULT_CHUNK_EDGE,
    treat_403_as_missing: bool = False,
    follow_links: bool = False,
    mosaic: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
) -> ChunkSource:
    """Open any supported store or array for reading storage chunks.

    Parameters
    ----------
    uri_or_arrays : str, Path, array or sequence of arrays
        Folder, file or URL (file, http, https, s3, gs, precomputed); or arrays in
        memory, the finest level first.
    series, well, field, label : int or str, optional
        What to choose, by position or name; the first by default.
    image : str, optional
        What to choose, by its name in the list of ``brickfield info``: a field of a
        well (``"A/1/0"``), a series or a label image.
    scale : sequence of float, optional
        Voxel size of level 0 instead of the stored one, (z, y, x) or all axes.
    axes : str, optional
        Axis names instead of the stored ones, for example ``"czyx"``.
    chunk_edge : int
        Wished edge of planned chunks, voxels.
    treat_403_as_missing : bool
        Take a server's refusal for "nothing is stored" (some public buckets answer
        so for chunks that do not exist).
    follow_links : bool
        Let a local document (XML, HDF5, precomputed, OME-TIFF) name data of other
        folders and hosts. Without it only data in or beside it are read.
    mosaic : mapping or sequence of pairs, optional
        Open all images of the store as one, made with these
        :class:`~brickfield.sources.mosaic.grid.MosaicOptions`; or as
        :func:`~brickfield.sources.mosaic.changes.changes_of` says it.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
    """
    if chunk_edge < 8:
        msg = f"expected a chunk edge of 8 voxels or more; found {chunk_edge}"
        raise OptionError(msg)
    options: dict[str, Any] = {
        "series": series,
        "well": well,
        "field": field,
        "label": label,
        "image": image,
        "scale": scale,
        "axes": axes,
    }
    options = {k: v for k, v in options.items() if v is not None}
    if follow_links:
        options["follow_links"] = True
    if not isinstance(uri_or_arrays, str | PathLike):
        options.pop("follow_links", None)
        return _open_arrays(uri_or_arrays, options, chunk_edge)
    uri = str(uri_or_arrays).strip()
    if mosaic is not None:
        reading = {
            "follow_links": follow_links,
            "treat_403_as_missing": treat_403_as_missing,
        }
        return _open_together(uri, dict(mosaic), reading)
    if image is not None:
        options = _with_choice(uri, options, treat_403_as_missing)
    return open_image(
        uri,
        options,
        chunk_edge=chunk_edge,
        treat_403_as_missing=treat_403_as_missing,
    )


def opening_options(opening: Mapping[str, Any] | None) -> dict[str, Any]:
    """Check options that are handed on to :func:`open_source`.

    Parameters
    ----------
    opening : mapping or None
        Keywords of :func:`open_source`.

    Returns
    -------
    dict

    Raises
    ------
    OptionError
        Naming what is no such keyword.
    """
    given: Any = opening
    if given is not None and not isinstance(given, Mapping):
        msg = f"expected opening as a mapping of names to values; found {given!r}"
        raise OptionError(msg)
    found = dict(opening or {})
    known = list(signature(open_source).parameters)[1:]
    unknown = [str(name) for name in found if name not in known]
    if unknown:
        msg = (
            f"expected names out of {', '.join(known)} in opening; found"
            f" {', '.join(unknown)}"
        )
        raise OptionError(msg)
    return found


def _open_together(
    uri: str, made: dict[str, Any], reading: dict[str, Any]
) -> ChunkSource:
    from brickfield.sources.mosaic import (
        MosaicOptions,
        open_changed,
        open_mosaic_source,
    )

    if "grid" in made:
        return open_changed(uri, made, **reading)
    return open_mosaic_source(uri, MosaicOptions(**made), **reading)


def _with_choice(
    uri: str, options: dict[str, Any], treat_403_as_missing: bool
) -> dict[str, Any]:
    # Only who names an image pays for what lists them.
    from brickfield.sources.images.choice import without_image

    denied = {"treat_403_as_missing": treat_403_as_missing}
    uri = checked_place(uri)
    with opening(uri):
        chosen = without_image(uri, {**options, **denied})
    del chosen["treat_403_as_missing"]
    return chosen


def _open_arrays(arrays: Any, options: dict[str, Any], chunk_edge: int) -> ChunkSource:
    from brickfield.sources.array_libraries.source import from_arrays

    unknown = [name for name in options if name not in ("scale", "axes")]
    if unknown:
        msg = f"expected only scale and axes with arrays; found {', '.join(unknown)}"
        raise OptionError(msg)
    return adjusted(from_arrays(arrays, **options), None, chunk_edge)
