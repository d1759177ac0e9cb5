"""Whether interrupted work can go on, decided before anything is touched.

A run goes on only over the same data: half of a pyramid of the old voxels and half of
the new ones would be neither. What a run left that was killed after its image stood is
removed.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from brickfield.blockwise import Journal, read_fingerprint
from brickfield.errors import BrickfieldError, OptionError, StoreFormatError
from brickfield.pyramid.task import SOURCE_DATA, Task
from brickfield.sources import ChunkSource, is_same
from brickfield.writing import JOURNAL, place, read_group


def journal_path(root: Path) -> Path:
    """Return the journal of work in a folder."""
    return root / JOURNAL / "journal.jsonl"


def remove_leftover(root: Path, wanted: dict[str, Any] | None) -> None:
    """Remove the journal of other work whose image stands already.

    Parameters
    ----------
    root : Path
    wanted : dict or None
        The work that is to be done; its own journal stays and is gone on with.

    Raises
    ------
    OptionError
        When another process is at work there.
    """
    found = read_fingerprint(journal_path(root))
    if found is None or _is_alike(found, wanted):
        return
    try:
        named = {str(d["path"]) for d in read_group(root).image["datasets"]}
    except (BrickfieldError, OSError, KeyError, TypeError):
        return
    levels = found.get("levels")
    if isinstance(levels, list) and levels and {str(p) for p in levels} <= named:
        Journal(journal_path(root), found).close()  # refused while it is held
        place.remove_journal(root)


def settle(task: Task, wanted: dict[str, Any]) -> tuple[str, ...]:
    """Let interrupted work of the same data go on, and remove that of other data.

    Parameters
    ----------
    task : Task
    wanted : dict
        Fingerprint of the work; receives what an earlier run recorded of the same data.

    Returns
    -------
    tuple of str
        What is to be told.

    Raises
    ------
    OptionError
        When another process is at work there.
    """
    path = journal_path(task.root)
    found = read_fingerprint(path)
    if found is None or not _is_alike(found, wanted):
        return ()
    if is_same(found.get(SOURCE_DATA), wanted[SOURCE_DATA]):
        wanted[SOURCE_DATA] = found[SOURCE_DATA]
        return ()
    Journal(path, found).close()
    task.remove_written()
    return (
        "the source has changed since the interrupted run: all of it was written anew",
    )


def check_unchanged(task: Task, source: ChunkSource, wanted: dict[str, Any]) -> None:
    """Refuse to publish what was made from data that changed meanwhile.

    Parameters
    ----------
    task : Task
    source : ChunkSource
    wanted : dict
        What the journal says of the source.

    Raises
    ------
    StoreFormatError
    """
    now = task.source_data(source, reads_voxels=False)
    if not is_same(wanted[SOURCE_DATA], now):
        msg = (
            f"expected {task.info.uri} to stay as it is while a pyramid is made of it;"
            f" found that it has changed: the same command begins anew"
        )
        raise StoreFormatError(msg)


def _is_alike(found: dict[str, Any], wanted: dict[str, Any] | None) -> bool:
    """Tell whether two fingerprints are of one work, its data left aside."""
    if wanted is None:
        return False
    keys = ({*found} | {*wanted}) - {SOURCE_DATA}
    return all(found.get(key) == wanted.get(key) for key in keys)


def remove_done(root: Path) -> None:
    """Remove the journal of an image that lacks nothing, unless it is held."""
    with suppress(OptionError):
        remove_leftover(root, None)
