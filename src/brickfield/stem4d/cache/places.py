"""Where results may be kept: beside a file, and whether a file lies on a share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from brickfield.errors import StoreAccessError, StoreWriteError
from brickfield.sources.hdf5 import HDF5_LOCK, writing
from brickfield.sources.io import may_write

PATIENCE_S = 2.0
"""Time that others, who look into a file, have to close it."""
LONG_S = 30.0
"""The same at the end of long work, which would else be lost or told as failed."""
_LOOK_S = 0.05
_SHARES = ("nfs", "cifs", "smb", "afs", "9p", "fuse.sshfs", "fuse.glusterfs", "ncpfs")


@dataclass(frozen=True, slots=True)
class CachePlaces:
    """The files that results of a scan are kept in.

    Attributes
    ----------
    path : Path
        Of the scan.
    where : {"auto", "file", "sidecar", "none"}
    is_hdf5 : bool
        Whether the scan's own file can hold results.
    """

    path: Path
    where: str
    is_hdf5: bool

    @property
    def places(self) -> tuple[Path, ...]:
        """Files that may hold results and exist, the one that is asked first in front."""
        own = [self.path] if self.is_hdf5 else []
        beside = [sidecar_of(self.path)]
        chosen = {"none": [], "file": own, "sidecar": beside, "auto": own + beside}
        return tuple(p for p in chosen[self.where] if p.exists())

    @property
    def target(self) -> Path | None:
        """The file that results are written to; None where there is none."""
        path, is_auto = self.path, self.where == "auto"
        if self.where == "none" or (is_auto and not self.is_hdf5):
            return None
        is_usable = may_write(path) and may_write(path.parent)
        if self.where == "file" or (is_auto and is_usable and not is_on_share(path)):
            return path
        return sidecar_of(path) if may_write(path.parent) else None

    @property
    def why_none(self) -> str:
        """Why there is no target, as the end of a sentence; for people."""
        if self.where == "none":
            return "that nothing is to be kept: choose another cache"
        if self.where == "auto" and not self.is_hdf5:
            return (
                f"{self.path}: convert it to EMD, or keep results beside it"
                " (--cache sidecar)"
            )
        folder = self.path.parent
        return f"that {folder} may not be written to: convert it to another folder"

    def write(self, function: Callable[[Path], Any]) -> Any:
        """Have something written to the target; beside the file if not in it.

        Parameters
        ----------
        function : callable
            Takes the file to write to.

        Returns
        -------
        object
            What it returned; None where there is no target.

        Raises
        ------
        StoreAccessError, StoreWriteError
        """
        target, beside = self.target, sidecar_of(self.path)
        if target is None:
            return None
        if target != beside:
            try:
                return function(target)
            except (StoreAccessError, StoreWriteError):
                if self.where == "file" or not may_write(target.parent):
                    raise
        make_sidecar(beside, self.path)
        return function(beside)


@contextmanager
def writing_soon(path: Path, patience_s: float | None = None) -> Iterator[Any]:
    """Open a file for writing, as soon as other programs that read it have closed it.

    Parameters
    ----------
    path : Path
        An HDF5 file that is there.
    patience_s : float, optional
        :data:`PATIENCE_S` if not given. No lock is held while waiting.

    Yields
    ------
    h5py.File

    Raises
    ------
    StoreAccessError
        When another program has it open all that time.
    StoreWriteError, StoreNotFoundError
    """
    end = monotonic() + (PATIENCE_S if patience_s is None else patience_s)
    with ExitStack() as stack:
        file: Any = None
        while file is None:
            try:
                file = stack.enter_context(writing(path))
            except StoreAccessError:
                if monotonic() >= end:
                    raise
                sleep(_LOOK_S)
        yield file


def sidecar_of(path: Path) -> Path:
    """Return the file beside another that keeps results for it."""
    return path.with_name(f"{path.name}.cache.h5")


def make_sidecar(place: Path, source: Path) -> None:
    """Create the file beside a source, unless it exists.

    Parameters
    ----------
    place : Path
        Of the file.
    source : Path

    Raises
    ------
    StoreWriteError
    """
    import h5py

    if place.exists():
        return
    try:
        with HDF5_LOCK, h5py.File(place, "x") as file:
            file.attrs["source"] = source.name
            file.attrs["about"] = "results computed of the source; may be deleted"
    except (OSError, RuntimeError) as error:
        msg = f"expected to write {place}; found: {error}: make room or allow it"
        raise StoreWriteError(msg) from error


def is_on_share(path: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Tell whether a file lies on another machine, as far as the system says.

    Parameters
    ----------
    path : Path
    mounts : Path
        Where the system lists what is mounted.
    """
    try:
        rows = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    real = Path(os.path.realpath(path))
    best, kind = -1, ""
    for row in rows:
        parts = row.split()
        if len(parts) < 3:
            continue
        point = Path(parts[1].encode().decode("unicode_escape"))
        depth = len(point.parts)
        if (point == real or point in real.parents) and depth >= best:
            best, kind = depth, parts[2]
    return kind.startswith(_SHARES)


def repack_file(path: Path) -> int:
    """Write an HDF5 file again, without the holes in it, and put it in place.

    Returns
    -------
    int
        Bytes that the file is shorter now.

    Raises
    ------
    StoreWriteError
    """
    import h5py

    before = path.stat()
    draft = path.with_name(f".{path.name}.repack")
    try:
        with HDF5_LOCK, h5py.File(path, "r") as old, h5py.File(draft, "w") as new:
            for name, value in old.attrs.items():
                new.attrs[name] = value
            for name in old:
                _copy_link(old, new, name)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(before.st_mode & 0o7777)
        draft.replace(path)
    except (OSError, RuntimeError, ValueError) as error:
        msg = f"expected to write {draft}; found: {error}: make room"
        raise StoreWriteError(msg) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return before.st_size - path.stat().st_size


def _copy_link(old: Any, new: Any, name: str) -> None:
    import h5py

    link = old.get(name, getlink=True)
    if isinstance(link, h5py.HardLink):
        old.copy(old[name], new, name)
    else:
        new[name] = link
