"""One image of a store: its format found, its reader called.

A name decides where it can (``.ims``, ``precomputed://``); else the files in the
folder do, read once and handed on. A reader is imported only when its format is
opened.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreUnreachableError,
)
from brickfield.model import choose_chunk_shape
from brickfield.sources.boundary import check_levels, foreign, shown
from brickfield.sources.io.location import ZIP_SUFFIXES, Location, check_address, locate
from brickfield.sources.io.plain_files import local_path, read_head, refuse_pointer
from brickfield.sources.io.presence import broken_text, first_broken_link
from brickfield.sources.io.store_files import IF_ABSENT, exists, read_many
from brickfield.sources.limits.chunk_sizes import with_size_findings
from brickfield.sources.protocol import ChunkSource
from brickfield.sources.units import in_one_unit, with_proportions
from brickfield.sources.zarr.hierarchy import ROOT_KEYS

DEFAULT_CHUNK_EDGE = 64
LONGEST_NAME = 255
"""Bytes of one name in a path, on every usual file system."""
_STORE_ERRORS = (
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreUnreachableError,
)


@dataclass(frozen=True, slots=True)
class Format:
    """One line of the table.

    Attributes
    ----------
    title : str
        For people.
    module : str
        Reader below ``brickfield.sources`` with ``open_source(uri, …)``.
    suffixes, schemes : tuple of str
        Ends of names and beginnings of URLs that decide at once.
    files : tuple of str
        Files in a folder that tell the format.
    """

    title: str
    module: str
    suffixes: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


ZARR = Format("OME-Zarr", "ome_zarr.source", (".ozx",), files=ROOT_KEYS)
FORMATS = (
    ZARR,
    Format("N5", "n5.source", (".n5",), files=("attributes.json",)),
    Format(
        "neuroglancer precomputed",
        "n5.precomputed",
        schemes=("precomputed",),
        files=("info",),
    ),
    Format("Imaris", "hdf5.imaris", (".ims",)),
    Format("BigDataViewer", "bdv.source", (".xml",)),
    Format("EMPAD", "scans.empad", (".xml",)),
    Format("Merlin MIB", "mib.source", (".mib",)),
    Format("TIFF", "tiff.source", (".tif", ".tiff", ".btf", ".tf2", ".tf8")),
    Format(
        "HDF5", "hdf5.source", (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".emd", ".mat")
    ),
)
"""Formats, in the order in which they are tried."""


def open_image(
    uri: str,
    options: dict[str, Any],
    *,
    chunk_edge: int = DEFAULT_CHUNK_EDGE,
    treat_403_as_missing: bool = False,
) -> ChunkSource:
    """Open one image of a store, chosen by where it lies there.

    Parameters
    ----------
    uri : str
        Path or URL.
    options : dict
        `series`, `well`, `field`, `label`, `scale`, `axes` and `follow_links`, those
        that were given, as for :func:`brickfield.sources.open_source`.
    chunk_edge : int
        Wished edge of planned chunks, voxels.
    treat_403_as_missing : bool
        Take a server's refusal for "nothing is stored".

    Returns
    -------
    ChunkSource
        With lengths in one unit, and findings on sizes.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
    """
    uri = checked_place(uri)
    with opening(uri):
        source = _open_stored(uri, dict(options), chunk_edge, treat_403_as_missing)
        _close_unless_sound(source)
        source = with_size_findings(source)
        source = in_one_unit(source, keeps_numbers="scale" in options)
        return with_proportions(source)


@contextmanager
def opening(uri: str) -> Iterator[None]:
    """Have whatever goes wrong be an error of ours that names the file.

    A reader deep inside knows the field; the user also needs the file.
    """
    try:
        with foreign(uri):
            yield
    except _STORE_ERRORS as error:
        last = uri.rstrip("/").rpartition("/")[2]
        if last in str(error):
            raise
        raise type(error)(f"{error} ({uri})") from error


def checked_place(uri: str) -> str:
    """Refuse what can be no path or address.

    Raises
    ------
    OptionError, StoreNotFoundError
    """
    if not uri:
        msg = "expected a path, a URL or arrays; found an empty text"
        raise OptionError(msg)
    if "\0" in uri:
        msg = f"expected a path or a URL without NUL characters; found {shown(uri)}"
        raise OptionError(msg)
    longest = max(len(os.fsencode(part)) for part in uri.split("/"))
    if "://" not in uri and longest > LONGEST_NAME:
        msg = (
            f"expected a path whose names have at most {LONGEST_NAME} bytes; found one"
            f" of {longest}: {shown(uri)}"
        )
        raise StoreNotFoundError(msg)
    return uri


def _close_unless_sound(source: ChunkSource) -> None:
    try:
        check_levels(source)
    except BaseException:
        source.close()
        raise


def _open_stored(
    uri: str, options: dict[str, Any], chunk_edge: int, treat_403_as_missing: bool
) -> ChunkSource:
    found, known = find_format(uri, denied_is_missing=treat_403_as_missing)
    if found is ZARR:
        from brickfield.sources.ome_zarr.source import ZarrOptions, open_located

        options.pop("follow_links", None)
        chosen = ZarrOptions(
            chunk_edge=chunk_edge, treat_403_as_missing=treat_403_as_missing, **options
        )
        return open_located(locate(uri), chosen, known)
    if treat_403_as_missing:
        options["treat_403_as_missing"] = True
    return _open_other(found, _plain(uri), options, chunk_edge)


def find_format(
    uri: str, *, denied_is_missing: bool = False
) -> tuple[Format, dict[str, bytes | None] | None]:
    """Find out what a path or URL holds.

    Parameters
    ----------
    uri : str
        Path or address.
    denied_is_missing : bool
        Take a server's refusal for "not stored".

    Returns
    -------
    format : Format
    known : dict or None
        Metadata files of the folder, where they have been read to find out.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    """
    check_address(uri.removeprefix("precomputed://"))
    _check_in_reach(uri)
    named = _by_name(uri)
    if named is not None:
        return named, None
    location = locate(uri)
    if location.local is not None and location.local.is_file():
        return _by_signature(str(location.local)), None
    known = _probe(location, denied_is_missing)
    for candidate in FORMATS:
        if any(known.get(name) is not None for name in candidate.files):
            return candidate, known
    if not exists(location):
        msg = f"expected a file or folder at {location.uri}; found nothing there"
        raise StoreNotFoundError(msg)
    if not location.is_remote and _may_be_zarr(location):
        return ZARR, known
    folder = location.uri
    if any(part.endswith(".n5") for part in folder.split("/")):
        return _format("n5.source"), None
    if location.is_remote:
        # Tells when a web page stands in place of everything.
        read_many(location, ROOT_KEYS[:1], page_is_missing=False, refused=set())
    looked = ", ".join(name for f in FORMATS for name in f.files)
    msg = f"expected one of the files {looked} in {folder}; found none of them"
    raise (StoreNotFoundError if location.is_remote else StoreFormatError)(msg)


def _check_in_reach(uri: str) -> None:
    """Refuse what only stands for data that are elsewhere: broken links, pointers."""
    if "://" in uri and not uri.startswith("file://"):
        return
    path = local_path(uri)
    link = first_broken_link(path)
    if link is not None:
        msg = f"expected a file or folder at {path}; {broken_text(link)}"
        raise StoreNotFoundError(msg)
    if path.is_file():
        # What cannot be read is left to the format's own reader to tell.
        with suppress(OSError):
            refuse_pointer(path, read_head(path, 64))


def _by_name(uri: str) -> Format | None:
    scheme = urlsplit(uri).scheme.lower() if "://" in uri else ""
    path = (urlsplit(uri).path if scheme else uri).rstrip("/").lower()
    for candidate in FORMATS:
        if scheme and scheme in candidate.schemes:
            return candidate
        if path.endswith(candidate.suffixes) and (candidate.suffixes or False):
            is_folder = not scheme and Path(uri).expanduser().is_dir()
            if candidate.module in ("n5.source", "ome_zarr.source") or not is_folder:
                return _by_content(candidate, uri)
    if path.endswith(ZIP_SUFFIXES):
        return ZARR
    # A dataset inside an HDF5 file: "file.h5:/path".
    inside = [f for f in FORMATS for s in f.suffixes if f"{s}:" in path]
    return inside[0] if inside else None


def _by_content(named: Format, uri: str) -> Format:
    """Return the format of a file whose name several formats share."""
    others = (
        f for f in FORMATS if f is not named and {*f.suffixes} & {*named.suffixes}
    )
    return next((f for f in others if _module(f).matches(uri)), named)


def _by_signature(path: str) -> Format:
    for candidate in FORMATS:
        if candidate is not ZARR and _module(candidate).matches(path):
            return candidate
    titles = ", ".join(f.title for f in FORMATS)
    msg = f"expected a file of one of the formats {titles}; found {path}, which is none"
    raise StoreFormatError(msg)


def _probe(location: Location, denied_is_missing: bool) -> dict[str, bytes | None]:
    """Read every file that tells a format, in one round trip.

    A bucket that refuses the names which do not exist must not hide the ones
    which do, so a refusal counts only when nothing else was found.
    """
    names = [name for f in FORMATS for name in f.files]
    refused: set[str] = set()
    known = read_many(
        location, names, denied_is_missing=denied_is_missing, refused=refused
    )
    if refused and all(raw is None for raw in known.values()):
        msg = (
            f"expected readable metadata in {location.uri}; found that access is denied"
        )
        raise StoreAccessError(f"{msg}: {IF_ABSENT}")
    return known


def _may_be_zarr(location: Location) -> bool:
    """Whether a local folder without metadata of its own has nodes inside."""
    if location.spec["driver"] == "zip" or ".zarr" in location.name:
        return True
    folder = location.local
    if folder is None or not folder.is_dir():
        return False
    try:
        with os.scandir(folder) as entries:
            inner = [Path(e.path) for e in islice(entries, 64) if e.is_dir()]
    except PermissionError as exc:
        msg = f"expected a readable folder {folder}; found that permission is denied"
        raise StoreAccessError(msg) from exc
    return any((e / name).is_file() for e in inner for name in ROOT_KEYS)


def _open_other(
    found: Format, uri: str, options: dict[str, Any], chunk_edge: int
) -> ChunkSource:
    opener = _module(found).open_source
    takes = inspect.signature(opener).parameters
    scale = None if "scale" in takes else options.pop("scale", None)
    for name in ("treat_403_as_missing", "follow_links"):
        # Formats that ask no server, or name no files, need not know it.
        if name not in takes:
            options.pop(name, None)
    unknown = [name for name in options if name not in takes]
    if unknown:
        msg = f"expected options that {found.title} has; found {', '.join(unknown)}"
        raise OptionError(msg)
    return adjusted(opener(uri, **options), scale, chunk_edge)


def adjusted(
    source: ChunkSource, scale: Sequence[float] | None, chunk_edge: int
) -> ChunkSource:
    """Give a source another voxel size or other planned chunks.

    Parameters
    ----------
    source : ChunkSource
    scale : sequence of float or None
        Voxel size of level 0, (z, y, x) or all axes; None keeps it.
    chunk_edge : int
        Wished edge of planned chunks, voxels.
    """
    pyramid = source.info.pyramid
    if scale is not None:
        from brickfield.sources.ome_zarr.levels import with_voxel_size

        pyramid = with_voxel_size(pyramid, scale)
    if chunk_edge != DEFAULT_CHUNK_EDGE:
        shapes = tuple(
            choose_chunk_shape(lv.shape_zyx, lv.storage_chunk_zyx, edge=chunk_edge)
            for lv in pyramid.levels
        )
        pyramid = pyramid.with_chunk_shapes(shapes)
        source.source_id = f"{source.source_id}|{chunk_edge}"
    if pyramid is not source.info.pyramid:
        source.info = replace(source.info, pyramid=pyramid)
    return source


def _plain(uri: str) -> str:
    """Take off what local readers need not know: ``file://`` stays, slashes go."""
    return uri.rstrip("/") or uri


def _format(module: str) -> Format:
    return next(f for f in FORMATS if f.module == module)


def _module(found: Format) -> Any:
    try:
        return import_module(f"brickfield.sources.{found.module}")
    except ModuleNotFoundError as exc:
        msg = f"expected the reader of {found.title}; found that {exc.name} is not installed"
        raise BrickfieldError(msg) from exc
