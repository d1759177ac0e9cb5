"""Loads chunks for a caller that waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import numpy as np

from brickfield.errors import ChunkReadError
from brickfield.loading import ChunkManager
from brickfield.model import ChunkKey, Selection
from brickfield.model.requests import Category, ChunkedDataRequest, LoadedChunk
from brickfield.store.mosaic import Mosaic, Name

_numbers = count()


def load(
    manager: ChunkManager,
    mosaic: Mosaic,
    lacking: list[Name],
    *,
    is_strict: bool = True,
) -> list[Name]:
    """Load chunks before everything else that is wanted, and copy them into a mosaic.

    Parameters
    ----------
    manager : ChunkManager
    mosaic : Mosaic
        Receives the voxels.
    lacking : list of Name
        Selection and key of each chunk.
    is_strict : bool
        Raise for the first chunk that failed or has holes.

    Returns
    -------
    list of (selection, key)
        Chunks that failed or have holes; only without `is_strict`.

    Raises
    ------
    ChunkReadError
        When one of them failed; the others may have been painted.
    """
    failed: list[Name] = []
    if not lacking:
        return failed
    visual_id = f"level-{next(_numbers)}"
    n_left = len(lacking)
    manager.request_chunks(requests_of(visual_id, lacking, Category.BASE), visual_id)
    try:
        while n_left:
            is_done = manager.wait(visual_id)
            taken = manager.take_ready(visual_id)
            for chunk in taken:
                if is_strict:
                    _raise_failed(chunk)
                if not mosaic.paint(chunk):
                    failed.append((chunk.selection, chunk.key))
            n_left -= len(taken)
            if not taken and not is_done:
                msg = (
                    "expected an open store; found that it was closed while it was read"
                )
                raise ChunkReadError(msg)
    finally:
        manager.release(visual_id)
    return failed


def load_ahead(manager: ChunkManager, names: Iterable[Name], timeout_s: float) -> None:
    """Load chunks into the RAM cache and wait for them.

    Parameters
    ----------
    manager : ChunkManager
    names : iterable of (selection, key)
        Most wanted first; what is loaded or named twice is asked for once at most.
    timeout_s : float
        After which the rest is not waited for, and not wanted any longer.
    """
    lacking = [name for name in dict.fromkeys(names) if manager.peek(*name) is None]
    visual_id = f"ahead-{next(_numbers)}"
    wanted = requests_of(visual_id, lacking, Category.BASE)
    manager.request_chunks(wanted, visual_id)
    try:
        manager.wait(visual_id, timeout_s)
    finally:
        manager.release(visual_id)


def requests_of(
    visual_id: str, names: list[Name], category: Category = Category.VISIBLE
) -> list[ChunkedDataRequest]:
    """Return requests for chunks, the first one first; one request per selection.

    Parameters
    ----------
    visual_id : str
        Id of the visual that requests.
    names : list of Name
        Selection and key of each chunk, most wanted first.
    category : Category
        Of all of them.
    """
    groups: dict[Selection, list[tuple[int, ChunkKey]]] = {}
    for rank, (selection, key) in enumerate(names):
        groups.setdefault(selection, []).append((rank, key))
    return [
        ChunkedDataRequest(
            visual_id,
            selection,
            np.array([key for _, key in ranked], dtype=np.int64),
            np.array([rank for rank, _ in ranked], dtype=np.float32),
            np.full(len(ranked), int(category), dtype=np.uint8),
        )
        for selection, ranked in groups.items()
    ]


def _raise_failed(chunk: LoadedChunk) -> None:
    if chunk.is_whole:
        return
    failure = chunk.failure
    name = chunk.chunk_id
    reason = "it could not be read" if failure is None else failure.reason
    msg = f"expected chunk {name.index} of level {name.scale_level}; found: {reason}"
    raise ChunkReadError(
        msg,
        is_transient=failure is not None and failure.is_transient,
        key="" if failure is None else failure.key,
    )
