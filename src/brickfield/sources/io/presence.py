"""Whether a local array is still there.

A chunk without a file is *missing*: its voxels have the fill value. That holds
only while the array's folder exists. When a disk is taken away or a folder is
renamed, every chunk is without a file, and calling them all missing would show
zeros for data: such a read has *failed*, and can be tried again.
"""

from __future__ import annotations

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

    def expect(self, key: str) -> None:
        """Refuse to call a chunk missing when its array is gone.

        Parameters
        ----------
        key : str
            The chunk's name, for the message.

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
