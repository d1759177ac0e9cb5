"""EMD and other HDF5 files as scans.

A dataset that lies in its file in one piece is read past the HDF5 library, as flat
frames; what is stored in chunks is put together from these. The file stays open for
the second kind alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError, StoreFormatError, StoreNotFoundError
from brickfield.sources.emd.data import DatasetFrames, DatasetScan, Held
from brickfield.sources.emd.layouts import (
    C_ORDER,
    axis_order,
    calibration_of,
    dimensions_of,
    find_scans,
)
from brickfield.sources.hdf5.dataset import HDF5Dataset
from brickfield.sources.hdf5.file import closing_on_error, open_file
from brickfield.sources.hdf5.handles import SharedFile, read_unlocked
from brickfield.sources.hdf5.links import HDF5Links, close_files, find, links_of
from brickfield.sources.hdf5.places import files_of_shared
from brickfield.sources.scans.frame_files import FileFrames, FrameFile, FrameLayout
from brickfield.sources.scans.frame_stack import (
    FrameScan,
    FrameStack,
    ScanData,
    ScanGrid,
)
from brickfield.sources.scans.held_file import identity_of
from brickfield.sources.scans.scan_shape import (
    ScanHints,
    ScanOptions,
    ScanShape,
    find_scan_shape,
)
from brickfield.sources.scans.source import AxisCalibration, Scan

MOST_CHUNKS = 1 << 17
"""Whose places are looked up when a file is opened: a tenth of a second."""
_NUMBERED = re.compile(r"^(.*?)(\d+)$")


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open file: this reader's share, the file itself, what it links to."""

    shared: SharedFile
    file: Any
    links: HDF5Links

    def places(self) -> tuple[Path, ...]:
        return files_of_shared(self.shared)

    def close(self) -> None:
        close_files(self.shared, self.links)

    def held(self, again: Any, arguments: tuple[Any, ...]) -> Held:
        return Held(self.places, self.close, (again, arguments))


def _again(path: Path, dataset: str, series: int | None) -> ScanData:
    """Open patterns that another process has open."""
    read_unlocked(path)
    return open_scan(path, dataset=dataset, series=series).data


def _frames_again(path: Path, dataset: str) -> FrameStack:
    read_unlocked(path)
    data = open_scan(path, dataset=dataset).data
    return data.frames  # type: ignore[attr-defined,no-any-return]


def open_scan(
    path: Path,
    options: ScanOptions | None = None,
    *,
    dataset: str | None = None,
    series: int | None = None,
) -> Scan:
    """Open a scan in an HDF5 file.

    Parameters
    ----------
    path : Path
    options : ScanOptions, optional
        The scan's shape, for stacks of frames.
    dataset : str, optional
        Path of a dataset, or of the group that it lies in.
    series : int, optional
        Which scan of several, or index on the first of five axes.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError
    MissingExtraError
    """
    options = options or ScanOptions()
    shared = open_file(path)
    links = links_of(path)
    with closing_on_error(shared) as file:
        names = _names(file, links, dataset)
        chosen = _chosen(file, links, names, series)
        item = _item(file, links, chosen)
        opened = _Opened(shared, file, links)
        if len(item.shape) == 3:
            found = _stack(opened, path, chosen, options)
        else:
            found = _scan(opened, path, item, (names, series, options))
        is_flat = isinstance(found.data, FrameScan) and isinstance(
            found.data.frames, FileFrames
        )
        if is_flat:
            close_files(shared, links)
        return found


def _names(file: Any, links: HDF5Links, dataset: str | None) -> list[str]:
    if dataset is None:
        return [s.path for s in find_scans(file, links)]
    item = find(file, f"/{dataset.strip('/')}", links)
    if item is not None and not hasattr(item, "shape"):
        inside = [n for n in ("data", "datacube", "array") if n in item]
        if inside:
            return [f"/{dataset.strip('/')}/{inside[0]}"]
    if item is None or not hasattr(item, "shape"):
        known = ", ".join(s.path for s in find_scans(file, links)[:8])
        msg = (
            f"expected --dataset to name a dataset of {links.root.document}; found"
            f" {dataset}; scans in it: {known}"
        )
        raise StoreNotFoundError(msg)
    _check(item)
    return [f"/{dataset.strip('/')}"]


def _check(item: Any) -> None:
    kind = np.dtype(item.dtype).kind
    if kind not in "iuf" or len(item.shape) not in (3, 4, 5) or 0 in item.shape:
        msg = (
            f"expected {item.name} to have three to five axes of numbers; found"
            f" {item.dtype} of shape {item.shape}"
        )
        raise StoreFormatError(msg)


def _item(file: Any, links: HDF5Links, name: str) -> Any:
    item = find(file, name, links)
    if item is None:
        msg = f"expected {name} in {links.root.document}; found nothing"
        raise StoreNotFoundError(msg)
    return item


def _chosen(
    file: Any, links: HDF5Links, names: Sequence[str], series: int | None
) -> str:
    first = _item(file, links, names[0])
    if series is None or len(first.shape) != 4:
        return names[0]
    _check_series(series, len(names))
    return names[series]


def _check_series(series: int, n: int) -> None:
    if not 0 <= series < n:
        msg = f"expected --series from 0 to {n - 1}; found {series}"
        raise OptionError(msg)


def _scan(
    opened: _Opened,
    path: Path,
    item: Any,
    asked: tuple[Sequence[str], int | None, ScanOptions],
) -> Scan:
    names, series, options = asked
    dims = dimensions_of(item)[-4:]
    order = axis_order(dims)
    lead = None
    if len(item.shape) == 5:
        lead = series or 0
        _check_series(lead, item.shape[0])
        names = [str(i) for i in range(min(item.shape[0], 4096))]
    flat = _flat(item, lead) if order == C_ORDER else None
    found = _shape_of(item, order, options, is_flat=flat is not None)
    data: ScanData
    if flat is not None:
        data = FrameScan(flat, found.grid)
    else:
        data = DatasetScan(
            HDF5Dataset.of(item),
            order,
            lead,
            opened.held(_again, (path, str(item.name), lead)),
        )
    return Scan(
        data=data,
        path=path,
        format=_format(opened.file, item),
        shape_found=found,
        n_frames=item.shape[-4:][order[0]] * item.shape[-4:][order[1]],
        bit_depth=8 * data.dtype.itemsize,
        calibration=calibration_of(dims, order),
        findings=tuple(opened.links.findings),
        series=tuple(names) if len(names) > 1 else (),
        dataset=str(item.name),
    )


def _shape_of(
    item: Any, order: Sequence[int], options: ScanOptions, *, is_flat: bool
) -> ScanShape:
    """Return the dataset's own shape, or the user's where frames can be regrouped."""
    ny, nx = (int(item.shape[-4:][axis]) for axis in order[:2])
    if options.shape in (None, (ny, nx)):
        return ScanShape(ScanGrid(ny, nx), "header", 1.0, "shape of the dataset")
    if not is_flat:
        msg = (
            f"expected --scan {ny}x{nx}, the shape of {item.name}, which is stored in"
            f" chunks; found {options.shape}"
        )
        raise OptionError(msg)
    return find_scan_shape(ny * nx, ScanHints(), options)


def _flat(item: Any, lead: int | None) -> FileFrames | None:
    """Return frames that lie whole in a file; None where they do not."""
    is_plain = item.file.driver == "sec2"
    is_plain = is_plain and not item.file.userblock_size
    if not is_plain or item.external or item.is_virtual:
        return None
    shape = tuple(int(n) for n in item.shape)
    layout = FrameLayout.plain((shape[-2], shape[-1]), np.dtype(item.dtype))
    path = Path(os.fsdecode(item.file.filename)).absolute()
    if item.chunks is not None:
        chunks = _whole_frames(item) if lead is None else None
        if chunks is None:
            return None
        return _of_chunks(path, layout, chunks, int(item.chunks[-3]), shape[-3])
    offset = item.id.get_offset()
    if offset is None:
        return None
    n = prod(shape[-4:-2]) if len(shape) >= 4 else shape[0]
    start = offset + (lead or 0) * n * layout.stride
    return FileFrames([FrameFile(path, start, n)], layout)


def _whole_frames(item: Any) -> NDArray[np.int64] | None:
    """Return where chunks of whole frames of one line begin; None where there are others.

    Returns
    -------
    ndarray of int64, shape (lines, chunks along one)
    """
    *lead, along, rows, columns = item.chunks
    *lines, n_x = (int(n) for n in item.shape[:-2])
    n_lines, n_chunks = prod(lines), -(-n_x // along)
    is_whole = (rows, columns) == tuple(item.shape[-2:]) and prod(lead) == 1
    if not is_whole or item.compression or item.id.get_create_plist().get_nfilters():
        return None
    if n_lines * n_chunks > MOST_CHUNKS:
        return None
    found = np.zeros((n_lines, n_chunks), np.int64)

    def note(info: Any) -> None:
        *start, x = info.chunk_offset[:-2]
        line = int(start[0]) if start else 0
        # One walk over the file's index; a query for each chunk takes quadratic time.
        found[line, x // along] = info.byte_offset

    item.id.chunk_iter(note)
    # What was never written has no place, and is the fill value.
    return found if found.all() else None


def _of_chunks(
    path: Path,
    layout: FrameLayout,
    starts: NDArray[np.int64],
    along: int,
    n_x: int,
) -> FileFrames:
    """Return frames that lie in chunks; those past the end of a line are left out."""
    lengths = [min(along, n_x - x) for x in range(0, n_x, along)]
    # Chunks move when another program packs the file anew.
    identity = identity_of(path.stat())
    files: list[FrameFile] = []
    for line in starts.tolist():
        for start, n in zip(line, lengths, strict=True):
            last = files[-1] if files else None
            end = last and last.offset + last.n_frames * layout.stride
            if last is not None and end == start:
                files[-1] = replace(last, n_frames=last.n_frames + n)
            else:
                files.append(FrameFile(path, start, n, identity))
    return FileFrames(files, layout)


def _stack(opened: _Opened, path: Path, name: str, options: ScanOptions) -> Scan:
    file, links = opened.file, opened.links
    items = [_item(file, links, n) for n in _parts(file, links, name)]
    flat = [_flat(i, None) for i in items]
    frames: FileFrames | DatasetFrames
    if all(f is not None for f in flat):
        files = [part for f in flat if f is not None for part in f.files]
        frames = FileFrames(files, flat[0].layout)  # type: ignore[union-attr]
    else:
        frames = DatasetFrames(
            [HDF5Dataset.of(i) for i in items],
            opened.held(_frames_again, (path, name)),
        )
    found = find_scan_shape(frames.n_frames, ScanHints(), options)
    data = FrameScan(frames, found.grid)
    dims = dimensions_of(items[0])
    detector = calibration_of([*dims[:1], *dims])[2:]
    return Scan(
        data=data,
        path=path,
        format=_format(file, items[0]),
        shape_found=found,
        n_frames=frames.n_frames,
        bit_depth=8 * data.dtype.itemsize,
        calibration=(*AxisCalibration.none()[:2], *detector),
        findings=tuple(links.findings),
        dataset=name,
    )


def _parts(file: Any, links: HDF5Links, name: str) -> list[str]:
    """Return the datasets that a numbered stack goes on in, in order."""
    head, _, last = name.rpartition("/")
    match = _NUMBERED.match(last)
    first = _item(file, links, name)
    if match is None:
        return [name]
    group = find(file, head or "/", links)
    found: dict[int, str] = {}
    for other in group if hasattr(group, "keys") else ():
        same = _NUMBERED.match(other)
        if same is None or same[1] != match[1]:
            continue
        item = find(file, f"{head}/{other}", links)
        is_alike = getattr(item, "shape", ())[1:] == first.shape[1:]
        if is_alike and item.dtype == first.dtype:
            found[int(same[2])] = f"{head}/{other}"
    return [found[n] for n in sorted(found)] or [name]


def _format(file: Any, item: Any) -> str:
    """Name the dialect, for people."""
    about = file.attrs
    top = str(item.name).strip("/").split("/")[0]
    if str(about.get("emd_group_type", "")) in ("file", "b'file'"):
        return "EMD 1.0"
    if top == "4DSTEM_simulation":
        return "Prismatic"
    if top in ("4DSTEM_experiment", "version_1"):
        return "EMD (py4DSTEM)"
    group = item.parent.attrs.get("emd_group_type")
    return "EMD (Berkeley)" if group is not None and int(group) == 1 else "HDF5"
