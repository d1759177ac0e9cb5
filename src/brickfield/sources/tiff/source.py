"""TIFF, BigTIFF, ImageJ and OME-TIFF files as a source, through tifffile.

tifffile (an extra) finds series, levels and axes. Uncompressed stacks in one piece
are read past it; everything else by page or tile. Levels lie over one extent, so
their voxel sizes follow from the ratio of shapes.
"""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from brickfield.errors import (
    BrickfieldError,
    MissingExtraError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.model import Channel, Finding, ImageInfo, Pyramid, ScaleLevel
from brickfield.sources.arrays.contiguous import ContiguousArray
from brickfield.sources.arrays.stored import AssembledSource, identity_of
from brickfield.sources.boundary import series_index
from brickfield.sources.geometry import (
    NUMERIC_KINDS,
    aligned_geometry,
    make_level,
    spatial_positions,
)
from brickfield.sources.io.named_places import NamedFiles, Root
from brickfield.sources.io.plain_files import check_regular, local_path, read_head
from brickfield.sources.protocol import ArrayHeader, StoredArray
from brickfield.sources.tiff.damage import broken_list, complaints, short_file
from brickfield.sources.tiff.pages import TiffPages
from brickfield.sources.tiff.scales import TiffScales, read_scales

SUFFIXES = (".tif", ".tiff", ".btf", ".tf2", ".tf8")
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NAMED = re.compile(r'(?:FileName|MetadataFile)="([^"]+)"')
_INSTALL = "pip install napari-brickfield[tiff]"


def matches(uri: str) -> bool:
    """Whether the suffix or the first bytes are TIFF's."""
    if "://" in str(uri) and not str(uri).startswith("file://"):
        return False
    path = local_path(uri)
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        return read_head(path, 4) in _MAGIC
    except (OSError, StoreFormatError):
        return False


def open_source(
    uri: str, *, series: int | str | None = None, follow_links: bool = False
) -> AssembledSource:
    """Open a TIFF file.

    Parameters
    ----------
    uri : str
        Local file.
    series : int, str or None
        One of ``info.series``, the first by default.
    follow_links : bool
        Let an OME-TIFF name files of other folders.

    Raises
    ------
    MissingExtraError
        If tifffile, or imagecodecs for this compression, is not installed.
    StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError
    """
    path = local_path(uri)
    with complaints() as said:
        return _open(str(uri), path, series, follow_links, said)


def _open(
    uri: str,
    path: Path,
    series: int | str | None,
    follow_links: bool,
    said: list[str],
) -> AssembledSource:
    tiff = _opened(path)
    try:
        others, named = _other_files(tiff, path, follow_links)
        number, names = _choose_series(tiff, path, series)
        absent = named if _lacks_pages(tiff.series[number], named) else []
        _check_codec(tiff.series[number], path)
        scales = read_scales(tiff, number)
        arrays, findings = _levels(tiff, number, path, absent)
        pyramid = _pyramid(arrays, scales)
        findings += _damage(tiff, number, said, arrays, findings)
    except BaseException as error:
        tiff.close()
        # tifffile meets damage with errors of many kinds.
        if isinstance(error, Exception) and not isinstance(error, BrickfieldError):
            msg = f"expected a whole TIFF file; {path} is damaged: {error}"
            raise StoreFormatError(msg) from error
        raise
    notes = [*scales.findings, *findings, *others, *map(_absent_file, absent)]
    if len(names) > 1 and series is None:
        text = f"expected one image; found {len(names)} series: the first was opened"
        notes.append(Finding("info", "several-images", "series", text))
    info = ImageInfo(
        uri=uri,
        format=_format(tiff),
        name=path.name.split(".")[0],
        pyramid=pyramid,
        channels=_channels(pyramid, scales),
        series=tuple(names) if len(names) > 1 else (),
        findings=tuple(notes),
    )
    return AssembledSource(
        info,
        identity_of(path, names[number]),
        lambda level, _lead: arrays[level],
        places=lambda: _files(tiff, path),
        close=tiff.close,
    )


def _damage(
    tiff: Any,
    number: int,
    said: list[str],
    arrays: list[StoredArray],
    known: list[Finding],
) -> list[Finding]:
    """Return what a broken list of pages means, unless the voxels told it already."""
    if not said or any(f.code == "truncated" for f in known):
        return []
    # The shape of these kinds comes from the description, not from a count of pages.
    is_described = tiff.series[number].kind in {"shaped", "imagej"}
    is_whole = all(isinstance(array, ContiguousArray) for array in arrays)
    is_refused = any("reshape" in text for text in said)
    return broken_list(
        said,
        len(tiff.pages),
        len(tiff.series[number]),
        are_voxels_whole=is_described and is_whole and not is_refused,
    )


def _files(tiff: Any, path: Path) -> list[Path]:
    """Return the file and those that its OME document names."""
    whole = path.absolute()
    about = tiff.ome_metadata if tiff.is_ome else None
    names = _NAMED.findall(str(about or ""))
    return [whole, *(whole.parent / html.unescape(name) for name in names)]


def _opened(path: Path) -> Any:
    try:
        import tifffile
    except ImportError as error:
        msg = f"expected the package tifffile to read {path}; found none: {_INSTALL}"
        raise MissingExtraError(msg) from error
    try:
        check_regular(path, path.stat())
        return tifffile.TiffFile(path)
    except FileNotFoundError as error:
        msg = f"expected a TIFF file at {path}; found nothing: check the path"
        raise StoreNotFoundError(msg) from error
    except PermissionError as error:
        msg = f"expected to read {path}; the system refuses: check its permissions"
        raise StoreAccessError(msg) from error
    except StoreFormatError:
        raise
    except Exception as error:
        msg = f"expected a TIFF file; {path} is none: {error}"
        raise StoreFormatError(msg) from error


def _other_files(
    tiff: Any, path: Path, follow_links: bool
) -> tuple[list[Finding], list[str]]:
    """Check the files that OME-XML names, before tifffile opens them.

    Returns
    -------
    findings : list of Finding
    absent : list of str
        Names of files that are not there.

    Raises
    ------
    StoreAccessError, StoreFormatError
        If one lies where the file must not lead, or is no ordinary file.
    """
    absent: dict[str, None] = {}
    files = NamedFiles(Root.of_file(path, follow=follow_links))
    for text in re.findall(r"""FileName\s*=\s*["']([^"']*)""", tiff.ome_metadata or ""):
        name = html.unescape(text)
        if name.lower() != path.name.lower():
            try:
                found = files.path(name)
            except StoreNotFoundError:
                absent[name] = None
            else:
                if not found.exists():
                    absent[name] = None
    return files.findings, list(absent)


def _lacks_pages(series: Any, absent: list[str]) -> bool:
    """Whether files that are not there held pages; a file may just be renamed."""
    return bool(absent) and any(series[i] is None for i in range(len(series)))


def _absent_file(name: str) -> Finding:
    text = f"expected the file {name} that OME-XML names; found none: its pages fail"
    return Finding("error", "missing-file", "TiffData", text)


def _choose_series(
    tiff: Any, path: Path, series: int | str | None
) -> tuple[int, list[str]]:
    if not tiff.series:
        msg = f"expected an image in {path}; found none"
        raise StoreFormatError(msg)
    names = [s.name or f"series{i}" for i, s in enumerate(tiff.series)]
    if len(set(names)) < len(names):
        names = [f"series{i}" for i in range(len(names))]
    number = series_index(names, series, where=str(path))
    found = tiff.series[number]
    if len(found.shape) < 2 or 0 in found.shape or found.dtype is None:
        msg = f"expected a picture of two or more axes in {path}; found {found.shape}"
        raise StoreFormatError(msg)
    if found.dtype.kind not in NUMERIC_KINDS:
        msg = f"expected real numbers in {path}; found the data type {found.dtype}"
        raise StoreFormatError(msg)
    return number, names


def _check_codec(series: Any, path: Path) -> None:
    import tifffile

    compression = series.keyframe.compression
    try:
        tifffile.TIFF.DECOMPRESSORS[compression]
    except KeyError as error:
        name = getattr(compression, "name", compression)
        msg = (
            f"expected a compression known here in {path}; found {name}, which needs"
            f" the package imagecodecs: {_INSTALL}"
        )
        raise MissingExtraError(msg) from error


def _levels(
    tiff: Any, number: int, path: Path, absent: Sequence[str]
) -> tuple[list[StoredArray], list[Finding]]:
    arrays: list[StoredArray] = []
    findings: list[Finding] = []
    lock = threading.RLock()
    for i, level in enumerate(tiff.series[number].levels):
        name = f"series{number}/level{i}"
        is_alike = level.axes == tiff.series[number].axes
        if is_alike and (level.dtype == tiff.series[number].dtype):
            if absent:
                arrays.append(TiffPages(level, name, lock, absent=absent))
                continue
            array, short = _level_array(tiff, level, path, name=name, lock=lock)
            arrays.append(array)
            findings += short
            continue
        text = (
            f"expected axes {tiff.series[number].axes} {tiff.series[number].dtype};"
            f" found {level.axes} {level.dtype}: left out with the coarser levels"
        )
        findings.append(Finding("warning", "no-level", name, text))
        break
    return arrays, findings


def _level_array(
    tiff: Any, level: Any, path: Path, *, name: str, lock: threading.RLock
) -> tuple[StoredArray, list[Finding]]:
    offset = level.dataoffset
    if offset is None or level.axes.endswith("S") or level.keyframe.fillorder != 1:
        return TiffPages(level, name, lock), []
    dtype = level.dtype.newbyteorder(tiff.byteorder)
    shape = tuple(int(n) for n in level.shape)
    needed = offset + prod(shape) * dtype.itemsize
    found = path.stat().st_size
    short = [short_file(name, needed, found)] if found < needed else []
    if short and len(level) == prod(shape[:-2]):
        return TiffPages(level, name, lock), short
    depth = level.axes.find("Z") if "Z" in level.axes else -3
    array = ContiguousArray(
        path, offset, shape, dtype=dtype, name=name, depth_axis=None if short else depth
    )
    return array, short


def _pyramid(arrays: Sequence[StoredArray], scales: TiffScales) -> Pyramid:
    zero = (0.0,) * len(scales.axes)
    spatial = spatial_positions(scales.axes)
    levels: list[ScaleLevel] = []
    for i, array in enumerate(arrays):
        factors = [
            n / m if axis in spatial else 1.0
            for axis, (n, m) in enumerate(
                zip(arrays[0].shape, array.shape, strict=True)
            )
        ]
        size, shift = aligned_geometry(scales.voxel_size, zero, factors)
        header = ArrayHeader.of(array)
        level = make_level(
            f"level{i}", header, scales.axes, voxel_size=size, translation=shift
        )
        levels.append(level)
    return Pyramid(scales.axes, tuple(levels))


def _channels(pyramid: Pyramid, scales: TiffScales) -> tuple[Channel, ...]:
    c = pyramid.channel_axis
    n = 1 if c is None else pyramid.levels[0].shape[c]
    named = scales.channels[:n]
    is_rgb = c == len(pyramid.axes) - 1 and n in {3, 4} and not named
    if is_rgb:
        colors = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
        named = [Channel(name, rgb) for name, rgb in colors.items()]
    return (*named, *(Channel(str(i)) for i in range(len(named), n)))


def _format(tiff: Any) -> str:
    kind = "OME-TIFF" if tiff.is_ome else "ImageJ TIFF" if tiff.is_imagej else "TIFF"
    return f"Big{kind}" if tiff.is_bigtiff and kind == "TIFF" else kind
