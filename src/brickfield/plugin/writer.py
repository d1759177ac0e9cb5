"""Saving a layer as an OME-Zarr pyramid, however large it is.

Level 0 is read and written block by block, within a budget, and coarser levels are
made from it. A folder that exists is never written over.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brickfield.errors import BrickfieldError, OptionError, StoreWriteError
from brickfield.model.units import counted
from brickfield.plugin.export.saved_place import own_affine, where_saved
from brickfield.plugin.saving import N_WORKERS, save_beside
from brickfield.qt import RunningTask, import_beside

if TYPE_CHECKING:
    from brickfield.model import Axis
    from brickfield.sources import ChunkSource

_NEEDED = (
    "brickfield.pyramid.command",
    "brickfield.sources.array_libraries.source",
    "brickfield.store.lazy_level",
)
"""Loaded on a thread by the first save; this module itself is light.

Else the window's own thread works on it for 0.16 s.
"""

SESSION_SUFFIX = ".brickfield.ome.zarr"
"""Of what is saved as a session, with everything in the viewer."""


def write_image(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write an ``Image`` layer; called by napari.

    Parameters
    ----------
    path : str
    data : array or list of arrays
    meta : mapping
        As napari hands it to writers.

    Returns
    -------
    list of str
        Paths that were written.
    """
    return _write(path, data, meta, is_labels=False)


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write a ``Labels`` layer; called by napari.

    Parameters
    ----------
    path : str
    data : array or list of arrays
    meta : mapping
        As napari hands it to writers.

    Returns
    -------
    list of str
        Paths that were written.
    """
    return _write(path, data, meta, is_labels=True)


def _write(
    path: str, data: Any, meta: Mapping[str, Any], *, is_labels: bool
) -> list[str]:
    if path.endswith(SESSION_SUFFIX):
        return write_session(path, ())
    import_beside(*_NEEDED)
    name = str(meta.get("name", "image"))
    try:
        source = _source(path, data, meta, is_labels)
        is_turned = source.info.placement is not None
    except OptionError as error:
        # napari takes a ValueError for "no writer" and says nothing.
        raise StoreWriteError(str(error)) from error

    def write(beside: Path, running: RunningTask) -> bool:
        from brickfield.pyramid import write_pyramid

        result = write_pyramid(
            source,
            beside,
            version="0.6" if is_turned else None,
            workers=N_WORKERS,
            progress=running.tell,
            cancel=running.cancelled,
        )
        if result.failures:
            blocks = counted(len(result.failures), "block")
            msg = f"expected to save all of {name}; {blocks} could not be written"
            raise StoreWriteError(msg)
        return result.is_complete

    with closing(source):
        written = save_beside(f"Saving {name}", path, write)
    if written and is_turned:
        _tell_version(name)
    return written


def _tell_version(name: str) -> None:
    """Say that programs that read OME-Zarr 0.5 and older do not open what was saved."""
    from napari.utils.notifications import show_info

    show_info(f"{name} is turned: saved as OME-Zarr 0.6, which alone holds that")


def write_session(path: str, _layers: Any) -> list[str]:
    """Write everything in the viewer as a session; called by napari.

    Parameters
    ----------
    path : str
    _layers

    Raises
    ------
    StoreWriteError
        If there is no viewer, or it cannot be saved.
    """
    import napari

    import_beside("brickfield.plugin.sessions.in_viewer", "brickfield.sessions.writer")
    from brickfield.plugin.sessions.in_viewer import contents_of
    from brickfield.sessions import SaveControl, SessionOptions
    from brickfield.sessions import write_session as write_to

    viewer = napari.current_viewer()
    name = Path(path).name.removesuffix(SESSION_SUFFIX)
    if viewer is None:
        msg = f"expected a viewer to save as the session {name}; found none"
        raise StoreWriteError(msg)
    try:
        contents = contents_of(viewer)
    except BrickfieldError as error:
        # napari takes a ValueError for "no writer" and says nothing.
        raise StoreWriteError(str(error)) from error
    options = SessionOptions(name=name, workers=N_WORKERS)

    def write(beside: Path, running: RunningTask) -> bool:
        try:
            write_to(
                contents, beside, options, SaveControl(running.tell, running.cancelled)
            )
        except CancelledError:
            return False
        return True

    return save_beside(f"Saving {name}", path, write)


def _source(
    path: str, data: Any, meta: Mapping[str, Any], is_labels: bool
) -> ChunkSource:
    from brickfield.sources import from_arrays

    if meta.get("rgb"):
        msg = (
            "expected a layer of one value per voxel; found RGB: save it as TIFF or PNG"
        )
        raise OptionError(msg)
    if Path(path).exists():
        msg = f"expected a new folder; found that {path} exists: choose another name"
        raise OptionError(msg)
    finest, meta = _without_room(data[0] if meta.get("multiscale") else data, meta)
    where = where_saved(meta, min(getattr(finest, "n_spatial", 3), finest.ndim))
    source = from_arrays(
        finest,
        axes=_axes(finest, meta),
        scale=where.scale,
        translation=where.translation,
        name=str(meta.get("name", "image")),
        is_labels=is_labels,
    )
    source.info = replace(source.info, placement=where.placement)
    return source


def _without_room(
    finest: Any, meta: Mapping[str, Any]
) -> tuple[Any, Mapping[str, Any]]:
    """Leave out the room that a mosaic keeps to move its tiles in, and tell of it."""
    trim = getattr(finest, "without_room", None)
    room = None if trim is None else trim()
    if room is None:
        return finest, meta
    from napari.utils.notifications import show_info

    n, own = len(meta["scale"]), own_affine(meta)
    first = (0.0,) * (n - 3) + tuple(map(float, room.first))
    show_info(f"{meta.get('name', 'image')}: {room.finding.text}")
    return finest.on_store(room.store), {**meta, "translate": own(first[-n:])}


def _axes(data: Any, meta: Mapping[str, Any]) -> list[Axis] | None:
    """Return a lazy level's own axes; None leaves the guess to the rank."""
    from brickfield.model import Axis
    from brickfield.store import LazyLevel

    if not isinstance(data, LazyLevel):
        return None
    axes = data.pyramid.axes
    units = [str(u) for u in meta.get("units", ())]
    found = []
    for i, (at, name) in enumerate(zip(data.stored_axes, data.axis_names, strict=True)):
        unit = units[i] if i < len(units) and units[i] != "pixel" else None
        found.append(Axis(name, axes[at].kind if at >= 0 else "space", unit))
    return found
