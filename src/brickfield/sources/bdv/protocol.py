"""What a project needs of the place where its voxels are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from brickfield.model import Vec3
from brickfield.sources.protocol import StoredArray


@dataclass(frozen=True)
class SetupLevels:
    """Levels of one view: arrays (z, y, x) and their factors (z, y, x)."""

    arrays: tuple[StoredArray, ...]
    factors: tuple[Vec3, ...]

    def is_alike(self, other: SetupLevels) -> bool:
        """Whether two views can be channels of one image."""
        return self.factors == other.factors and all(
            (a.shape, a.dtype, a.chunk_shape) == (b.shape, b.dtype, b.chunk_shape)
            for a, b in zip(self.arrays, other.arrays, strict=True)
        )


class BdvLoader(Protocol):
    """Opens the arrays of views."""

    is_remote: bool

    def watched(self) -> tuple[Path, ...]:
        """Local files and folders whose change makes other data of it."""
        ...

    def levels(self, time: int, setup: int) -> SetupLevels:
        """Return all levels of a view.

        Parameters
        ----------
        time : int
            Time point, as numbered in the XML.
        setup : int
            Id of the view setup.
        """
        ...

    def array(self, time: int, setup: int, level: int) -> StoredArray | None:
        """Return one level of a view; None when nothing is stored.

        Parameters
        ----------
        time : int
            Time point, as numbered in the XML.
        setup : int
            Id of the view setup.
        level : int
            0 is the finest.
        """
        ...

    def path(self, time: int, setup: int, level: int) -> str:
        """Return the path of an array in the file or folder.

        Parameters
        ----------
        time : int
            Time point, as numbered in the XML.
        setup : int
            Id of the view setup.
        level : int
            0 is the finest.
        """
        ...

    def places(self) -> tuple[Path | str, ...]:
        """Files and folders that are read, and addresses."""
        ...

    def close(self) -> None:
        """Give files back."""
        ...
