"""Whether a local array is still there, and whether a chunk is only out of reach.

A chunk without a file is *missing*: its voxels have the fill value. That holds
only while the array's folder exists. When a disk is taken away or a folder is
renamed, every chunk is without a file, and calling them all missing would show
zeros for data: such a read has *failed*, and can be tried again. The same holds for
a link to nothing, which is what git-annex and DataLad keep for data that have not
been fetched: something is stored there.
"""

from __future__ import annotations

import os
from pathlib import Path

from brickfield.errors import ChunkReadError


class Presence:
    """Watches over one array's folder. Any thread may call it.

    Parameters
    ----------
    folder : Path or None
        None for a remote array. One that never was there (an empty array known from
        consolidated metadata alone) cannot be taken away.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if folder is not None and folder.is_dir() else None

    @property
    def is_gone(self) -> bool:
        """Whether the folder was there and is not any more."""
        return self._folder is not None and not self._folder.is_dir()

    def expect(self, key: str, file: Path | None = None) -> None:
        """Refuse to call a chunk missing when its array is gone or it is a broken link.

        Parameters
        ----------
        key : str
            The chunk's name, for the message.
        file : Path, optional
            Where it would lie, below the array's folder.

        Raises
        ------
        ChunkReadError
            Transient: what was taken away may come back.
        """
        if self.is_gone:
            msg = (
                f"expected the folder {self._folder}; found that it is gone: bring it"
                " back and try again"
            )
            raise ChunkReadError(msg, is_transient=True, key=key)
        link = None if file is None else self.broken_link(file)
        if link is not None:
            raise ChunkReadError(f"expected {key}; {broken_text(link)}", key=key)

    def broken_link(self, file: Path) -> Path | None:
        """Return the link to nothing at or above a file, up to the array's folder."""
        if self._folder is None:
            return None
        depth = len(file.parts) - len(self._folder.parts)
        return first_broken_link(file, depth)


def first_broken_link(path: Path, depth: int = 1) -> Path | None:
    """Find a link that leads to nothing.

    Parameters
    ----------
    path : Path
        Where a file is not found.
    depth : int
        How many names of the path to look at, from its end.

    Returns
    -------
    Path or None
    """
    for part in (path, *path.parents)[:depth]:
        if part.is_symlink() and not os.path.exists(part):  # noqa: PTH110 - Path.exists raises where links lead in a circle
            return part
    return None


def broken_text(link: Path) -> str:
    """Say that a link leads to nothing, and what to do."""
    return (
        f"found the link {link} to {link.readlink()}, where nothing is: fetch its data"
        " (git annex get, datalad get) or mend the link"
    )
