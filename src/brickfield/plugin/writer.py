"""Saving a layer as an OME-Zarr pyramid, however large it is.

Level 0 is read and written block by block, within a budget, and coarser levels are
made from it. A folder that exists is never written over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError, StoreWriteError
from brickfield.model.axes import Axis
from brickfield.sources.protocol import ChunkSource
from brickfield.store.lazy_level import LazyLevel


def write_image(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write an ``Image`` layer; called by napari."""
    return _write(path, data, meta, is_labels=False)


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write a ``Labels`` layer; called by napari."""
    return _write(path, data, meta, is_labels=True)


def _write(
    path: str, data: Any, meta: Mapping[str, Any], *, is_labels: bool
) -> list[str]:
    from napari.utils import progress

    from brickfield.pyramid.command import write_pyramid

    name = str(meta.get("name", "image"))
    try:
        source = _source(path, data, meta, is_labels)
        with progress(total=1000, desc=f"Saving {name}") as bar:

            def tell(n_done: int, n: int, _bytes: int, _left: float | None) -> None:
                bar.update(1000 * n_done // max(1, n) - bar.n)

            result = write_pyramid(source, Path(path), progress=tell)
        source.close()
    except OptionError as error:
        # napari takes a ValueError for "no writer" and says nothing.
        raise StoreWriteError(str(error)) from error
    if not result.is_complete:
        n = len(result.failures)
        msg = f"expected to save all of {name}; {n} blocks could not be read or written"
        raise StoreWriteError(msg)
    return [path]


def _source(
    path: str, data: Any, meta: Mapping[str, Any], is_labels: bool
) -> ChunkSource:
    from brickfield.sources.array import from_arrays

    if meta.get("rgb"):
        msg = "expected a layer of one value a voxel; found RGB: save it as TIFF or PNG"
        raise OptionError(msg)
    if Path(path).exists():
        msg = f"expected a new folder; found that {path} exists: choose another name"
        raise OptionError(msg)
    finest = data[0] if meta.get("multiscale") else data
    return from_arrays(
        finest,
        axes=_axes(finest, meta),
        scale=[float(s) for s in meta["scale"]],
        translation=[float(t) for t in meta["translate"]],
        name=str(meta.get("name", "image")),
        is_labels=is_labels,
    )


def _axes(data: Any, meta: Mapping[str, Any]) -> list[Axis] | None:
    """Return a lazy level's own axes; None leaves the guess to the rank."""
    if not isinstance(data, LazyLevel):
        return None
    axes = data.pyramid.axes
    units = [str(u) for u in meta.get("units", ())]
    found = []
    for i, (at, name) in enumerate(zip(data.stored_axes, data.axis_names, strict=True)):
        unit = units[i] if i < len(units) and units[i] != "pixel" else None
        found.append(Axis(name, axes[at].kind if at >= 0 else "space", unit))
    return found
