"""A mosaic without the room that it keeps to move tiles in, to be written.

What is shown of it reaches further than its tiles; a file need not.
"""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.model import Finding, Int3
from brickfield.store.image_store import ChunkedImageStore


@dataclass(frozen=True)
class TightImage:
    """A mosaic that ends with its tiles, as it was when it was asked for.

    Attributes
    ----------
    store : ChunkedImageStore
        Does not follow what is moved afterwards.
    first : tuple of int
        Where it begins in what it was made of: voxels of level 0 (z, y, x).
    shape : tuple of int
        Voxels of level 0 (z, y, x).
    finding : Finding
        What was left out.
    """

    store: ChunkedImageStore
    first: Int3
    shape: Int3
    finding: Finding


def without_room(store: ChunkedImageStore, level: int = 0) -> TightImage | None:
    """Return a mosaic without the room round its tiles.

    Parameters
    ----------
    store : ChunkedImageStore
    level : int
        The coarsest whose voxels stay where they are.

    Returns
    -------
    TightImage or None
        None of any other image, and where there is no such room.
    """
    source = store.source
    trim = getattr(source, "without_room", None)
    tight = source if trim is None else trim(level)
    if tight is source:
        return None
    before, now = (s.info.pyramid.levels[0] for s in (source, tight))
    begins = zip(
        before.translation_zyx, now.translation_zyx, now.voxel_size_zyx, strict=True
    )
    z, y, x = (round((b - a) / size) for a, b, size in begins)
    finding = tight.info.findings[-1]
    return TightImage(ChunkedImageStore(tight), (z, y, x), now.shape_zyx, finding)
