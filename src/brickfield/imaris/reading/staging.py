"""Scratch space for decoded chunks that are needed again later.

A chunk of an expensive source (a dask graph, a slow server) is evaluated once. When
memory does not hold it until the last tile that needs it is made, it waits here as a
plain file, of which later tiles read only their part. The folder of a process ends with
it; those that a kill left beside a target are removed when the next export begins.
"""

from __future__ import annotations

import os
import re
import shutil
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreWriteError

AnyArray = NDArray[Any]


class Scratch:
    """A folder that is made when something is first put there. From any thread.

    Parameters
    ----------
    target : Path
        File that is written; names the folder.
    folder : Path or None
        Where the folder is made; beside the target if None.
    """

    def __init__(self, target: Path, folder: Path | None = None) -> None:
        whole = str(target.absolute()).encode("utf-8", "surrogateescape")
        self._stem = f"brickfield-{blake2b(whole, digest_size=6).hexdigest()}"
        self._parent = folder or target.absolute().parent
        self.folder = self._parent / f".{self._stem}-{os.getpid()}"

    def put(self, name: str, data: AnyArray) -> Path:
        """Write an array to a file.

        Parameters
        ----------
        name : str
            Of the file, without its end.
        data : ndarray, any shape

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        path = self.folder / f"{name}.npy"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                np.save(file, data)
        except OSError as error:
            msg = (
                f"expected room for intermediate data in {self.folder.parent}; found:"
                f" {error.strerror or error}: give another folder with --tmp-dir"
            )
            raise StoreWriteError(msg) from error
        return path

    def clear(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Remove folders of ended processes that wrote to the same target."""
        pattern = re.compile(re.escape(f".{self._stem}-") + r"(\d+)")
        try:
            names = os.listdir(self._parent)  # noqa: PTH208 -- names are enough
        except OSError:
            return
        for name in names:
            match = pattern.fullmatch(name)
            if (
                match
                and int(match[1]) != os.getpid()
                and not _is_running(int(match[1]))
            ):
                shutil.rmtree(self._parent / name, ignore_errors=True)


def read_part(path: Path, part: tuple[slice, ...]) -> AnyArray:
    """Read a part of an array that was written by :meth:`Scratch.put`.

    Parameters
    ----------
    path : Path
    part : tuple of slice
        One slice per axis.

    Returns
    -------
    ndarray, shape of the part
    """
    return np.array(np.load(path, mmap_mode="r")[part])


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
