"""What napari hands to brickfield when something is opened or dropped.

Invariant: :func:`get_reader` answers within a fifth of a second and reads a few
small files at most, never the names in a whole folder. It returns None for
everything that is not ours; what is ours by its name or its metadata files but
broken gets a reader, which then says in one sentence what is wrong.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from brickfield.sources.io import open_regular, read_head

PATIENCE_S = 0.15
"""A server that has not said no by then is asked again when the image is opened."""
ZARR_FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray")
_HDF5_ENDS = (".ims", ".h5", ".hdf5", ".hdf", ".emd")
_OWN_ENDS = (".ims", ".emd", ".mib", ".ozx", ".zarr", ".n5")
"""Ends of names that no other reader opens: errors of such files are reported here."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_LOOKED_AT = 64

Reader = Callable[[Any], list[Any]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return a reader of a path, None if it is not one of ours.

    Parameters
    ----------
    path : str or sequence of str
        File, folder or URL. Of several to be stacked none is ours.
    """
    if not isinstance(path, str):
        if len(path) != 1:
            return None
        path = path[0]
    try:
        is_found = _is_our_url(path) if "://" in path else _is_our_path(Path(path))
    except (OSError, ValueError):
        return None
    return read if is_found else None


def read(path: str | Sequence[str]) -> list[Any]:
    """Read a path into napari's layer data tuples.

    Raises
    ------
    BrickfieldError
        In one sentence; then there are no layers.
    """
    from brickfield.plugin.docking.load import load_reading

    load_reading()
    from brickfield.plugin.docking.dropping import opening_dock
    from brickfield.plugin.layers.make import open_layer_data

    uri = path if isinstance(path, str) else path[0]
    if "://" not in uri and Path(uri).name in ZARR_FILES:
        uri = str(Path(uri).parent)
    if (session := _session_at(uri)) is not None:
        return _put_session(session)
    with opening_dock() as is_drawn:
        found = open_layer_data(uri, is_drawn_soon=is_drawn)
    return list(found)


def _session_at(uri: str) -> Path | None:
    """Return the folder of a session; None for everything else."""
    from brickfield.sessions import is_session

    folder = Path(uri.removeprefix("file://"))
    return folder if "://" not in str(folder) and is_session(folder) else None


def _put_session(folder: Path) -> list[Any]:
    """Put a session into the window's viewer; napari itself gets no layers to add."""
    import napari
    from napari.utils.notifications import show_warning

    from brickfield.plugin.sessions.in_viewer import load, restore

    viewer = napari.current_viewer()
    if viewer is None:
        loaded = load(folder, ())
        return list(loaded.opened)
    for finding in restore(viewer, folder):
        show_warning(finding["message"])
    return [(None,)]


# -- on this machine -------------------------------------------------------------


def _is_our_path(path: Path) -> bool:
    if path.is_dir():
        return _is_our_folder(path)
    name = path.name.lower()
    if name.endswith(_OWN_ENDS) or name in ZARR_FILES:
        return True
    # A data set in a file: "name.h5:/path".
    inside = any(f"{end}:" in name or f"{end}:/" in str(path) for end in _HDF5_ENDS)
    if inside or not path.is_file():
        return inside
    if name.endswith(_HDF5_ENDS):
        return _starts_with(path, _HDF5)
    if name.endswith(".xml"):
        head = read_head(path, 1 << 16)
        return b"<SpimData" in head[:4096] or b"<raw_file" in head
    return False


def _starts_with(path: Path, magic: bytes) -> bool:
    """Look for a signature at 0, 512, 1024 and 2048, where HDF5 may have it."""
    with open_regular(path) as file:
        for offset in (0, 512, 1024, 2048):
            file.seek(offset)
            if file.read(len(magic)) == magic:
                return True
    return False


def _is_our_folder(folder: Path) -> bool:
    if any((folder / name).is_file() for name in ZARR_FILES):
        return True
    if _json(folder / "info").get("@type") == "neuroglancer_multiscale_volume":
        return True
    known = _json(folder / "attributes.json")
    if any(
        key in known
        for key in ("n5", "dimensions", "multiscales", "downsamplingFactors")
    ):
        return True
    parts = [part.lower() for part in folder.absolute().parts]
    if any(part.endswith(".n5") for part in parts):
        return True
    return parts[-1].endswith(".zarr") or _has_zarr_inside(folder)


def _has_zarr_inside(folder: Path) -> bool:
    """Whether one of the first few folders in a folder is a node of zarr."""
    with os.scandir(folder) as entries:
        inner = [e.path for e in islice(entries, _LOOKED_AT) if e.is_dir()]
    return any(Path(e, name).is_file() for e in inner for name in ZARR_FILES)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_head(path, 1 << 20))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# -- elsewhere --------------------------------------------------------------------


def _is_our_url(url: str) -> bool:
    parts = urlsplit(url)
    path = parts.path.rstrip("/").lower()
    if parts.scheme.lower() in ("precomputed", "zarr", "n5"):
        return True
    if parts.scheme.lower() == "file":
        return _is_our_path(Path(path))
    if ".zarr" in path or ".n5" in path or path.endswith(".ozx"):
        return True
    if Path(path).suffix:
        return False
    return _may_be_ours(url)


def _may_be_ours(url: str) -> bool:
    """Look up what a server has; no answer in time counts as yes."""
    refused = threading.Event()

    def look() -> None:
        from brickfield.errors import BrickfieldError
        from brickfield.sources import find_format

        try:
            find_format(url)
        except BrickfieldError:
            refused.set()

    thread = threading.Thread(target=look, name="brickfield-look", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return not refused.is_set()
