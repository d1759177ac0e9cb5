"""Going on with a stream that ended, in whatever way.

Frames count as stored when the root's metadata say so, which they do once their
storage units are on disk. What a killed writer had put beyond that is written again.
Units of coarser levels that are missing, or older than what they are made of, are
made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from brickfield.errors import StoreFormatError
from brickfield.streaming.acquisition import options_of
from brickfield.streaming.arrays import StreamArray
from brickfield.streaming.levels import Family, Unit
from brickfield.streaming.plan import StreamPlan, make_plan
from brickfield.writing.metadata import Group, read_group
from brickfield.writing.place import remove_lock_files

FILL_VALUE = 0


@dataclass(frozen=True)
class Recovered:
    """An image that frames can be written to.

    Attributes
    ----------
    root : Path
    plan : StreamPlan
    arrays : list of StreamArray
        Not open yet.
    group : Group
    frames : int
        So many from the first on are on disk.
    stale : tuple of (int, tuple of int)
        Storage units of coarser levels to be made again.
    length : int
        Of the first axis.
    """

    root: Path
    plan: StreamPlan
    arrays: list[StreamArray]
    group: Group
    frames: int
    stale: tuple[Unit, ...]
    length: int = 1


def arrays_of(root: Path, plan: StreamPlan) -> list[StreamArray]:
    """Describe the arrays of an image, not yet open.

    Parameters
    ----------
    root : Path
        Folder of the image.
    plan : StreamPlan
    """
    header: dict[str, Any] = {
        "version": plan.options.version,
        "compressor": plan.options.compressor,
        "fill_value": FILL_VALUE,
        "names": [a.name for a in plan.axes],
    }
    return [
        StreamArray(root, level, plan.dtype, header, grows=plan.grows)
        for level in plan.levels
    ]


def recover(root: Path, buffer: str | int) -> Recovered:
    """Find out where a stream ended.

    Parameters
    ----------
    root : Path
        Folder of the image.
    buffer : str or int
        Memory for frames, such as "256 MiB".

    Raises
    ------
    StoreNotFoundError, StoreFormatError
    """
    options, frames = options_of(root)
    plan = make_plan(options, buffer)
    arrays = arrays_of(root, plan)
    length = _check(arrays, plan)
    remove_lock_files([array.folder for array in arrays])
    stale = tuple(_stale_units(arrays))
    return Recovered(root, plan, arrays, read_group(root), frames, stale, length)


def _check(arrays: Sequence[StreamArray], plan: StreamPlan) -> int:
    """Make sure that the arrays are those of the plan; return the first length."""
    lengths = []
    for array in arrays:
        try:
            document = json.loads(array.meta_file.read_bytes())
            shape = tuple(int(n) for n in document["shape"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = (
                f"expected the metadata of an array in {array.meta_file}; found"
                f" {type(error).__name__}: {error}"
            )
            raise StoreFormatError(msg) from error
        expected = array.plan.shape
        is_same = shape[1:] == expected[1:] if plan.grows else shape == expected
        if not is_same:
            msg = (
                f"expected an array of shape {expected} in {array.folder}; found {shape}:"
                " it was written by something else meanwhile"
            )
            raise StoreFormatError(msg)
        lengths.append(shape[0])
    # Each level is made longer by a rename of its own: a kill in between leaves some
    # shorter, and readers may have seen the longest.
    return max(lengths)


def _stale_units(arrays: Sequence[StreamArray]) -> Iterator[Unit]:
    """Go through the units of coarser levels that are not made of what is there."""
    for level, (child, parent) in enumerate(pairwise(arrays)):
        family, newest = Family(child, parent), dict[tuple[int, ...], int]()
        for unit, changed_ns in stored_units(child):
            above = family.parent_of(unit)
            newest[above] = max(newest.get(above, 0), changed_ns)
        for unit, changed_ns in newest.items():
            try:
                made_ns = parent.unit_file(unit).stat().st_mtime_ns
            except OSError:
                made_ns = 0
            # Of equal times, which file systems round, nothing is known: made again.
            if made_ns <= changed_ns:
                yield level + 1, unit


def stored_units(array: StreamArray) -> Iterator[tuple[tuple[int, ...], int]]:
    """Go through the storage units on disk; each with its time of change, ns."""
    ndim = len(array.shape)
    first = array.unit_file((0,) * ndim)
    top = first.parents[ndim - 1]
    waiting: list[tuple[str, tuple[int, ...]]] = [(str(top), ())]
    while waiting:
        folder, index = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = [e for e in entries if e.name.isdecimal()]
        except OSError:
            continue
        for entry in found:
            here = (*index, int(entry.name))
            if len(here) < ndim:
                waiting.append((entry.path, here))
            else:
                yield here, entry.stat().st_mtime_ns
