"""A file that a thread keeps open while it works through a block.

Opening a file costs as long as reading a hundred kilobytes of it from the page cache,
so that a block that is read in pieces opens it once. Between blocks nothing is open:
a file that is moved or replaced is noticed by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import IO, Any

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.io.plain_files import open_regular


def identity_of(about: os.stat_result) -> tuple[int, int]:
    """Return what tells a file from another of the same name.

    Parameters
    ----------
    about : os.stat_result
    """
    return about.st_dev, about.st_ino


class HeldFile:
    """One open file for each thread, within :meth:`keep`; picklable, nothing open."""

    def __init__(self) -> None:
        self._own = local()

    def __reduce__(self) -> tuple[Any, ...]:
        return (HeldFile, ())

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Keep the file that this thread reads open until the end of the block."""
        own = self._own
        if getattr(own, "is_kept", False):
            yield
            return
        own.is_kept = True
        try:
            yield
        finally:
            own.is_kept = False
            self._release()

    @contextmanager
    def opened(
        self, path: Path, identity: tuple[int, int] | None = None
    ) -> Iterator[int]:
        """Yield the number of a file that is open for reading.

        Parameters
        ----------
        path : Path
        identity : tuple of int, optional
            Device and number of the file that is expected.

        Raises
        ------
        ChunkReadError
            If it cannot be opened or read, or is another file.
        """
        try:
            with self._opened(path) as number:
                if identity is not None and identity_of(os.fstat(number)) != identity:
                    msg = (
                        f"expected {path} as it was opened; found another file in its"
                        " place: open it again"
                    )
                    raise ChunkReadError(msg, key=path.name)
                yield number
        except ChunkReadError:
            raise
        except StoreFormatError as error:
            raise ChunkReadError(str(error), key=path.name) from error
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror or error}"
            raise ChunkReadError(msg, key=path.name) from error

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        own = self._own
        if not getattr(own, "is_kept", False):
            with open_regular(path) as file:
                yield file.fileno()
            return
        if getattr(own, "path", None) != path:
            self._release()
            own.file, own.path = open_regular(path), path
        yield own.file.fileno()

    def _release(self) -> None:
        file: IO[bytes] | None = getattr(self._own, "file", None)
        self._own.file = self._own.path = None
        if file is not None:
            file.close()
