"""What changed in an image on disk since the last look.

Another process may write it, with any program: what is looked at are the metadata and
the times of chunk files. A file counts as new when it was changed since the last look
(with an overlap, because it gets its name a moment after its time), and was not told of
with that time before. Folders in which nothing was renamed since are not listed, so a
look costs about a microsecond for each folder of chunks.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brickfield.blockwise import Slices
from brickfield.errors import OptionError, StoreFormatError
from brickfield.streaming.acquisition import read_acquisition

OVERLAP_NS = 2_000_000_000
MOST_FOLDERS = 20_000
"""Looked at in one turn, those of the last first indices before others."""
NEWEST = 4
"""First indices that are looked at in every turn."""
Box = Slices


@dataclass(frozen=True)
class ImageUpdate:
    """What became of an image since the last look.

    Attributes
    ----------
    shape : tuple of int
        Of level 0, now.
    frames : int or None
        On disk from the first on; None where nothing says so.
    is_complete : bool
        Whether the acquisition is said to be over.
    is_acquisition : bool
        Whether the image says anything of an acquisition.
    changes : tuple of (int, Box)
        Level and voxels of it that are new or changed, all axes.
    """

    shape: tuple[int, ...]
    frames: int | None
    is_complete: bool
    is_acquisition: bool
    changes: tuple[tuple[int, Box], ...]


@dataclass
class _Level:
    """One array: where its chunks are, and what was seen of them."""

    folder: Path
    meta_file: Path
    scale: tuple[float, ...] = ()
    shape: tuple[int, ...] = ()
    unit: tuple[int, ...] = ()
    prefix: str = ""
    seen: dict[str, int] = field(default_factory=dict)
    inner: dict[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    turn: int = 0


class AcquisitionWatch:
    """Looks at an image on disk, time and again. One thread at a time.

    Parameters
    ----------
    root : Path
        Local folder of an OME-Zarr image.
    since : float, optional
        Time (of ``time.time``) from which on changes are told of; default now.

    Raises
    ------
    OptionError
        When it is no local OME-Zarr image.
    """

    def __init__(
        self, root: str | os.PathLike[str], since: float | None = None
    ) -> None:
        self.root = Path(root)
        self._levels = [
            _level(self.root / path, scale) for path, scale in _found_levels(self.root)
        ]
        for level in self._levels:
            _read_meta(level)
        self._since_ns = int((time.time() if since is None else since) * 1e9)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of level 0 at the last look, every axis as far as all levels have it."""
        first = self._levels[0]
        lengths = list(first.shape)
        for level in self._levels[1:]:
            for axis, n in enumerate(lengths):
                ratio = _ratio(level, first, axis)
                # Writers of pyramids round up or down.
                if level.shape[axis] < max(1, int(n / ratio + 1e-6)):
                    lengths[axis] = int(level.shape[axis] * ratio)
        return tuple(lengths)

    @property
    def n_levels(self) -> int:
        """Of the pyramid."""
        return len(self._levels)

    def look(self) -> ImageUpdate:
        """Tell what changed since the last look.

        Raises
        ------
        StoreFormatError
            When the image is not there any more, or another.
        """
        # Before looking: what is written meanwhile is told of by the next look.
        now_ns = time.time_ns()
        changes: list[tuple[int, Box]] = []
        for number, level in enumerate(self._levels):
            _read_meta(level)
            units = list(self._new_units(level))
            changes += [(number, box) for box in _boxes(level, units)]
        self._since_ns = now_ns
        state = read_acquisition(self.root)
        about = state or {}
        frames = about.get("frames")
        return ImageUpdate(
            self.shape,
            frames if isinstance(frames, int) else None,
            about.get("complete") is True,
            state is not None,
            tuple(changes),
        )

    def _new_units(self, level: _Level) -> Iterator[tuple[int, ...]]:
        since = self._since_ns - OVERLAP_NS
        # Only what the overlap brings up once more has to be remembered.
        level.seen = {path: ns for path, ns in level.seen.items() if ns >= since}
        for path, index, changed_ns in _changed_files(level, since):
            if changed_ns >= since and level.seen.get(path) != changed_ns:
                level.seen[path] = changed_ns
                yield index


def _found_levels(root: Path) -> list[tuple[str, tuple[float, ...]]]:
    """Return path and voxel size of every level; no size where none is told."""
    for name in ("zarr.json", ".zattrs"):
        try:
            document = json.loads((root / name).read_bytes())
            attributes = document.get("attributes", document)
            image = attributes.get("ome", attributes)["multiscales"][0]
            return [(str(d["path"]), _scale_of(d)) for d in image["datasets"]]
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            continue
    msg = (
        f"expected the local folder of one OME-Zarr image to follow; found none at"
        f" {root}"
    )
    raise OptionError(msg)


def _scale_of(dataset: dict[str, Any]) -> tuple[float, ...]:
    for step in dataset.get("coordinateTransformations", ()):
        if step.get("type") == "scale" and isinstance(step.get("scale"), list):
            return tuple(float(v) for v in step["scale"])
    return ()


def _level(folder: Path, scale: tuple[float, ...]) -> _Level:
    is_v3 = (folder / "zarr.json").exists()
    return _Level(folder, folder / ("zarr.json" if is_v3 else ".zarray"), scale)


def _ratio(level: _Level, first: _Level, axis: int) -> float:
    """Return how many voxels of the first level one of another is long."""
    if len(level.scale) == len(first.scale) == len(first.shape) and first.scale[axis]:
        return max(1.0, level.scale[axis] / first.scale[axis])
    return 1.0


def _read_meta(level: _Level) -> None:
    try:
        document: dict[str, Any] = json.loads(level.meta_file.read_bytes())
        level.shape = tuple(int(n) for n in document["shape"])
        if "chunks" in document:
            level.unit = tuple(int(n) for n in document["chunks"])
            return
        grid = document["chunk_grid"]["configuration"]
        level.unit = tuple(int(n) for n in grid["chunk_shape"])
        is_default = document["chunk_key_encoding"]["name"] == "default"
        level.prefix = "c" if is_default else ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"expected the metadata of an array at {level.meta_file}; found that they"
            f" cannot be read ({error}): is the image still there?"
        )
        raise StoreFormatError(msg) from error


def _changed_files(
    level: _Level, since_ns: int
) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Go through the chunk files of folders in which something was renamed."""
    ndim = len(level.shape)
    top = str(level.folder / level.prefix) if level.prefix else str(level.folder)
    for folder, index in _folders(level, top, ndim, since_ns):
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except OSError:
            continue
        for entry in found:
            numbers = _numbers(entry.name, index, ndim)
            if numbers is not None:
                try:
                    yield entry.path, numbers, entry.stat().st_mtime_ns
                except OSError:
                    continue


def _numbers(name: str, index: tuple[int, ...], ndim: int) -> tuple[int, ...] | None:
    """Return the grid index that a file's name tells, None for any other file."""
    parts = name.removeprefix("c.").split(".")
    if not all(p.isdecimal() for p in parts):
        return None
    numbers = (*index, *map(int, parts))
    return numbers if len(numbers) == ndim else None


def _folders(
    level: _Level, top: str, ndim: int, since_ns: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Go through folders that hold chunks and were changed since a time."""
    waiting: list[tuple[str, tuple[int, ...]]] = [(top, ())]
    n_left = MOST_FOLDERS
    while waiting and n_left:
        folder, index = waiting.pop()
        n_left -= 1
        try:
            changed_ns = os.stat(folder).st_mtime_ns  # noqa: PTH116 -- thousands
        except OSError:
            continue
        if changed_ns >= since_ns:
            yield folder, index
        if len(index) < ndim - 1:
            inner = _inner_folders(level, folder, changed_ns)
            waiting += [
                (f"{folder}/{n}", (*index, n)) for n in _chosen(level, index, inner)
            ]


def _inner_folders(level: _Level, folder: str, changed_ns: int) -> tuple[int, ...]:
    """List numbered folders, from memory where nothing was made there since."""
    # A folder's time changes with its entries, not with what is written in them.
    before = level.inner.get(folder)
    if before is not None and before[0] == changed_ns:
        return before[1]
    try:
        with os.scandir(folder) as entries:
            numbers = [
                int(e.name) for e in entries if e.name.isdecimal() and e.is_dir()
            ]
    except OSError:
        numbers = []
    found = tuple(sorted(numbers))
    level.inner[folder] = (changed_ns, found)
    return found


def _chosen(
    level: _Level, index: tuple[int, ...], inner: tuple[int, ...]
) -> tuple[int, ...]:
    """Take the last first indices, and some of the others in turn."""
    if index or len(inner) <= 64:
        return inner
    # Acquisitions write at their end. Changes further back are found after some looks.
    level.turn = (level.turn + 1) % len(inner)
    others = tuple(inner[(level.turn * 32 + i) % len(inner)] for i in range(32))
    return tuple(sorted({*others, *inner[-NEWEST:]}))


def _boxes(level: _Level, units: list[tuple[int, ...]]) -> Iterator[Box]:
    """Join units that have the leading indices in common to one box."""
    groups: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    n_lead = max(0, len(level.shape) - 3)
    for unit in units:
        groups.setdefault(unit[:n_lead], []).append(unit)
    for members in groups.values():
        low = [min(m[a] for m in members) for a in range(len(level.shape))]
        high = [max(m[a] for m in members) for a in range(len(level.shape))]
        box = tuple(
            slice(a * u, min((b + 1) * u, n))
            for a, b, u, n in zip(low, high, level.unit, level.shape, strict=True)
        )
        if all(s.stop > s.start for s in box):
            yield box
