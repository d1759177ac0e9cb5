"""What somebody who writes an image should know of what was taken, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brickfield.model import ImageInfo

_CHOICES = ("image", "series", "well", "field", "label")


def notes_on_choice(info: ImageInfo, opening: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which image of a scene or project was taken, where none was chosen.

    Parameters
    ----------
    info : ImageInfo
    opening : mapping
        What it was opened with.
    """
    if not info.is_in_scene or any(opening.get(k) is not None for k in _CHOICES):
        return ()
    taken = next((s for s in info.series if s.strip("/") == info.name), None)
    taken = taken or (info.series[0] if info.series else info.name)
    text = (
        f"found {len(info.series)} images that belong together; took {taken!r} alone:"
        ' choose another with --image, or make one image of all with "brickfield fuse"'
    )
    return (text,)


def notes_on_placement(info: ImageInfo) -> tuple[str, ...]:
    """Say that what turns, shears or mirrors an image is not written.

    Parameters
    ----------
    info : ImageInfo
    """
    if info.placement is None:
        return ()
    text = (
        "found an image that its file turns, shears or mirrors; wrote voxel size and"
        ' translation alone: "brickfield fuse" writes voxels along the axes of the world'
    )
    return (text,)
