"""What somebody who writes an image should know of what was taken, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brickfield.errors import OptionError
from brickfield.model import ImageInfo
from brickfield.sources.geometry import MASKED, PREVIEW, ROOM_LEFT_OUT

_CHOICES = ("image", "series", "well", "field", "label")


def refuse_preview(info: ImageInfo) -> None:
    """Refuse to write from the preview that a session keeps of an image.

    A preview is coarse and may lack channels: what is made of it would look like a
    whole image and be none.

    Parameters
    ----------
    info : ImageInfo

    Raises
    ------
    OptionError
        If the image is such a preview.
    """
    for finding in info.findings:
        if finding.code == PREVIEW:
            raise OptionError(finding.text)


def notes_on_choice(info: ImageInfo, opening: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which image of several was taken, where none was chosen.

    Parameters
    ----------
    info : ImageInfo
    opening : mapping
        What it was opened with.
    """
    if any(opening.get(k) is not None for k in _CHOICES):
        return ()
    if info.is_in_scene:
        taken = next((s for s in info.series if s.strip("/") == info.name), None)
        taken = taken or (info.series[0] if info.series else info.name)
        text = (
            f"found {len(info.series)} images that belong together; took {taken!r}"
            " alone: choose another with --image, or make one image of all with"
            ' "brickfield fuse"'
        )
        return (text,)
    n, kind = max((len(info.wells), "wells"), (len(info.series), "images"))
    if n < 2:
        return ()
    text = (
        f"found {n} {kind}; took the first image alone, {info.name!r}: choose another"
        ' with --image, as "brickfield info" lists them'
    )
    return (text,)


def notes_on_placement(
    info: ImageInfo,
    remedy: str = '"brickfield fuse" writes voxels along the axes of the world',
) -> tuple[str, ...]:
    """Say that what turns, shears or mirrors an image is not written.

    Parameters
    ----------
    info : ImageInfo
    remedy : str
        What to do about it.
    """
    if info.placement is None:
        return ()
    text = (
        "found an image that its file turns, shears or mirrors; wrote voxel size and"
        f" translation alone: {remedy}"
    )
    return (text,)


def notes_on_values(info: ImageInfo) -> tuple[str, ...]:
    """Say that voxels are written that the source calls none.

    Parameters
    ----------
    info : ImageInfo
    """
    return tuple(f.text for f in info.findings if f.code == MASKED)


def notes_on_room(info: ImageInfo) -> tuple[str, ...]:
    """Say that the empty room round the images of a mosaic is not written.

    Parameters
    ----------
    info : ImageInfo
    """
    return tuple(f.text for f in info.findings if f.code == ROOM_LEFT_OUT)
