"""Where results may be kept: beside a file, and whether a file lies on a share."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from brickfield.errors import StoreWriteError
from brickfield.sources.hdf5 import HDF5_LOCK

_SHARES = ("nfs", "cifs", "smb", "afs", "9p", "fuse.sshfs", "fuse.glusterfs", "ncpfs")


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
