"""What loaders of views have in common that lie in folders, local or on a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from brickfield.errors import BrickfieldError, ChunkReadError
from brickfield.sources.bdv.protocol import SetupLevels
from brickfield.sources.io.location import Location
from brickfield.sources.places import place_of
from brickfield.sources.protocol import StoredArray


class FolderLoader(ABC):
    """Opens the arrays of views below one folder, each view once. Any thread.

    Parameters
    ----------
    location : Location
    denied_is_missing : bool
        Take a server's refusal for "nothing is stored".
    """

    def __init__(self, location: Location, *, denied_is_missing: bool = False) -> None:
        self._location = location
        self._denied_is_missing = denied_is_missing
        self.is_remote = location.is_remote
        self._views: dict[tuple[int, int], Sequence[StoredArray]] = {}

    @abstractmethod
    def path(self, time: int, setup: int, level: int) -> str:
        """Return the path of an array below the folder.

        Parameters
        ----------
        time, setup, level : int
        """

    @abstractmethod
    def levels(self, time: int, setup: int) -> SetupLevels:
        """Return all levels of a view, with their factors.

        Parameters
        ----------
        time, setup : int
        """

    @abstractmethod
    def _open_view(self, time: int, setup: int) -> Sequence[StoredArray]:
        """Open the levels of a view, the finest first."""

    def _view(self, time: int, setup: int) -> Sequence[StoredArray]:
        # Two threads may both open a view: the arrays are alike, and no lock is held
        # while a server is waited for.
        view = (time, setup)
        if view not in self._views:
            self._views[view] = self._open_view(time, setup)
        return self._views[view]

    def array(self, time: int, setup: int, level: int) -> StoredArray | None:
        """Return one level of a view; None when nothing is stored.

        Parameters
        ----------
        time, setup, level : int

        Raises
        ------
        ChunkReadError
            If the view cannot be opened.
        """
        try:
            arrays = self._view(time, setup)
        except BrickfieldError as error:
            key = self.path(time, setup, level)
            raise ChunkReadError(str(error), key=key) from error
        return arrays[level] if level < len(arrays) else None

    def watched(self) -> tuple[Path, ...]:
        """Return the folder when it is local."""
        local = self._location.local
        return () if local is None else (local,)

    def places(self) -> tuple[Path | str, ...]:
        """Return the folder or address."""
        return (place_of(self._location),)

    def close(self) -> None:  # noqa: B027 - loaders of files have more to do
        """Nothing is held open."""
