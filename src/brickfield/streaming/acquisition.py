"""Metadata of a stream: those of OME-Zarr, and how far the acquisition is.

Root attribute ``brickfield.acquisition``: ``complete`` (true once the writer was
closed), ``frames`` (so many from the first on are stored), and ``options``, from which
a writer can go on. The first two stand under ``acquisition`` of the attribute
``brickfield``, too.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import Channel
from brickfield.streaming.arrays import StreamArray, replace_json
from brickfield.streaming.plan import StreamOptions, StreamPlan
from brickfield.streaming.windows import find_windows
from brickfield.writing.metadata import (
    Group,
    image_attributes,
    method_attributes,
    new_group,
    omero_attributes,
)

KEY = "brickfield.acquisition"
MADE_BY = "brickfield.streaming.StreamWriter"


def image_group(root: Path, plan: StreamPlan, name: str) -> Group:
    """Make the metadata of the image, not yet on disk.

    Parameters
    ----------
    root : Path
        Folder of the image.
    plan : StreamPlan
    name : str
        Of the image.
    """
    options = plan.options
    attributes = image_attributes(options.version, name, plan.axes, plan.levels)
    if len(plan.levels) > 1:
        attributes["multiscales"][0] |= method_attributes("mean", MADE_BY)
    names = options.channels
    if names:
        limits = _limits(plan.dtype)
        channels = [Channel(text) for text in names]
        attributes |= omero_attributes(channels, [limits] * len(names), limits)
    group = new_group(root, options.version, attributes)
    put_progress(group, 0, is_complete=False, options=options)
    return group


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return (int(info.min), int(info.max))
    return (0, 1)


def put_progress(
    group: Group,
    frames: int,
    *,
    is_complete: bool,
    options: StreamOptions | None = None,
) -> None:
    """Set the progress of the acquisition in the metadata; not yet on disk.

    Parameters
    ----------
    group : Group
    frames : int
        That are on disk.
    is_complete : bool
    options : StreamOptions, optional
    """
    where = _attributes(group)
    state = dict(where.get(KEY, {}))
    state |= {"complete": is_complete, "frames": frames}
    if options is not None:
        state["options"] = asdict(options)
    where[KEY] = state
    # For readers who look below "brickfield", where sessions keep what is theirs.
    told = {"complete": is_complete, "frames": frames}
    where["brickfield"] = {**where.get("brickfield", {}), "acquisition": told}


def put_windows(
    group: Group, plan: StreamPlan, coarsest: StreamArray, frames: int
) -> None:
    """Set the contrast limits of named channels by their voxels; not yet on disk.

    Parameters
    ----------
    group : Group
    plan : StreamPlan
    coarsest : StreamArray
    frames : int
        That came by order.
    """
    windows = find_windows(plan, coarsest, frames)
    # Where nothing can be told of the voxels the range of the type stays.
    if windows:
        channels = [Channel(text) for text in plan.options.channels]
        found = omero_attributes(channels, windows, _limits(plan.dtype))
        where = _attributes(group)
        where.get("ome", where).update(found)


def publish_progress(group: Group) -> None:
    """Replace the root's metadata by one rename, not synced."""
    replace_json(metadata_file(group.root, group.version), group.document)


def metadata_file(root: Path, version: str) -> Path:
    """Return the file that makes a folder an image.

    Parameters
    ----------
    root : Path
    version : str
        Of OME-Zarr.
    """
    return root / (".zattrs" if version == "0.4" else "zarr.json")


def _attributes(group: Group) -> dict[str, Any]:
    if group.version == "0.4":
        return group.document
    attributes: dict[str, Any] = group.document["attributes"]
    return attributes


def read_acquisition(root: Path) -> dict[str, Any] | None:
    """Read how far an acquisition is; None where there is none or it says nothing.

    Returns
    -------
    dict or None
        ``complete``, ``frames``, and ``options`` where it was written by a stream.
    """
    for name in ("zarr.json", ".zattrs"):
        try:
            document = json.loads((root / name).read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        found = document.get("attributes", document).get(KEY)
        if isinstance(found, dict):
            return found
    return None


def options_of(root: Path) -> tuple[StreamOptions, int]:
    """Read from what a writer can go on: its options and the frames on disk.

    Raises
    ------
    StoreNotFoundError, StoreFormatError
    """
    if not root.is_dir():
        msg = f"expected the folder of an acquisition; found nothing at {root}"
        raise StoreNotFoundError(msg)
    state = read_acquisition(root)
    try:
        given = dict((state or {})["options"])
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in given.items()
        }
        return StreamOptions(**known), int((state or {})["frames"])
    except (KeyError, TypeError, ValueError) as error:
        msg = (
            f"expected an image that a stream writes, with {KEY} in its attributes;"
            f" found none in {root}: open a new one"
        )
        raise StoreFormatError(msg) from error
