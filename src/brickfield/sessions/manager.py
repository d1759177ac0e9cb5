"""Saving, looking into and opening sessions: :class:`SessionManager`."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

from brickfield.blockwise import Progress
from brickfield.errors import OptionError
from brickfield.model.secrets import hide_secrets
from brickfield.scene import SceneState
from brickfield.sessions.contents import SessionContents, SessionOptions
from brickfield.sessions.document import SessionDocument, read_document
from brickfield.sessions.reading import Layers, resolved_layers
from brickfield.sessions.writer import SaveControl, write_session
from brickfield.writing import usable_path

SUFFIX = ".ome.zarr"
Json = dict[str, Any]


class SessionManager:
    """Saves sessions and gets them back.

    Parameters
    ----------
    folder : path-like, optional
        Where bare names go; the current folder if not given.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from brickfield.scene.document import SceneState
    >>> manager = SessionManager(tempfile.mkdtemp())
    >>> path = manager.save_session(SceneState(), "nothing yet")
    >>> manager.info(path)["layers"]
    []
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = Path.cwd() if folder is None else Path(folder)

    # -- saving ------------------------------------------------------------------

    def save_session(  # noqa: PLR0913 -- what a user can choose, in one place
        self,
        source: Any,
        name: str | os.PathLike[str],
        description: str = "",
        *,
        mode: str = "reference",
        version: str = "0.5",
        overwrite: bool = False,
        progress: Progress | None = None,
        cancel: Event | None = None,
        **options: Any,
    ) -> Path:
        """Save a session.

        Parameters
        ----------
        source : napari.Viewer, SceneState, SessionContents or voxel storage
            A storage has ``channel_ids``, ``channel_names``, ``voxel_size``,
            ``origin``, ``reference_position`` and ``channel(id)``.
        name : str or Path
            Of the folder, without its suffix; a Path is taken as it is.
        description : str
        mode : {"reference", "embed"}
            Name the data, or copy all voxels.
        version : {"0.5", "0.4"}
            Of OME-Zarr.
        overwrite : bool
            Replace a store that is there.
        progress : callable, optional
            Told (done, in all, bytes written, seconds left), from any thread.
        cancel : threading.Event, optional
            Set it to stop; then :class:`~concurrent.futures.CancelledError` is
            raised, and what was under the name stays.
        **options
            Further fields of
            :class:`~brickfield.sessions.contents.SessionOptions`: `chunk_zyx`,
            `shard_zyx`, `budget_bytes`, `workers`; and `reference_position`.

        Returns
        -------
        Path
            Of the folder, ``<folder>/<name>.ome.zarr``.

        Raises
        ------
        OptionError, SceneSourceError, StoreWriteError, CancelledError
        """
        path = self.path_of(name)
        position = options.pop("reference_position", None)
        contents = contents_of(source)
        if position is not None:
            given = _finite(position)
            contents = _with_position(contents, given)
        chosen = SessionOptions(
            name=options.pop("title", None) or _bare(path),
            description=description,
            mode=mode,
            version=version,
            overwrite=overwrite,
            **options,
        )
        return write_session(contents, path, chosen, SaveControl(progress, cancel))

    def path_of(self, name: str | os.PathLike[str]) -> Path:
        """Return the folder of a session that a name or path means.

        Raises
        ------
        OptionError
            For a name that no folder can have.
        """
        text = os.fspath(name).strip()
        if not text or text in (".", "..", os.sep):
            msg = f"expected a name for the session; found {text!r}"
            raise OptionError(msg)
        path = usable_path(text, "a session's name")
        if not isinstance(name, Path) and not path.name.endswith(".zarr"):
            path = path.with_name(path.name + SUFFIX)
        return path if path.is_absolute() else self.folder / path

    # -- looking -----------------------------------------------------------------

    def info(self, path: str | os.PathLike[str]) -> Json:
        """Describe a session; reads no voxels.

        Returns
        -------
        dict
            Plain values: what ``brickfield session info --json`` prints.

        Raises
        ------
        StoreNotFoundError, StoreAccessError, StoreFormatError
        """
        folder = Path(path)
        document, version = read_document(folder)
        return info_of(document, version, resolved_layers(document, folder))

    def scene(self, path: str | os.PathLike[str]) -> SceneState:
        """Return the scene of a session, every source where it is now.

        Layers whose data are gone name the session's preview of them.

        Raises
        ------
        StoreNotFoundError, StoreAccessError, StoreFormatError
        """
        folder = Path(path)
        document, _ = read_document(folder)
        return resolved_layers(document, folder).scene

    def private(self, path: str | os.PathLike[str]) -> Json:
        """Return the private part of a session's metadata, as it is stored."""
        return read_document(Path(path))[0].to_dict()

    # -- getting back ------------------------------------------------------------

    def restore_to_storage(self, storage: Any, path: str | os.PathLike[str]) -> Json:
        """Give the channels of a session to a voxel storage, as lazy arrays.

        Parameters
        ----------
        storage : object
            With ``set_channel(id, array)``; `channel_names`, `voxel_size`, `origin`
            and `reference_position` are set where it lets them be.
        path : path-like

        Returns
        -------
        dict
            The private part of the session's metadata.

        Raises
        ------
        StoreNotFoundError, StoreAccessError, StoreFormatError, SceneSourceError
            Then nothing was given to the storage.
        """
        from brickfield.sessions.storage import put_into

        folder = Path(path)
        document, _ = read_document(folder)
        put_into(storage, document, resolved_layers(document, folder))
        return document.to_dict()

    def restore(self, viewer: Any, path: str | os.PathLike[str]) -> list[Json]:
        """Restore a session in a napari viewer: layers, their order, transforms, views.

        Parameters
        ----------
        viewer : napari.Viewer
        path : str or os.PathLike

        Returns
        -------
        list of dict
            ``code`` and ``message`` of what was not found as it was saved; empty
            when all was.

        Raises
        ------
        BrickfieldError
            In one sentence; then the viewer is as it was.
        """
        findings: list[Json] = napari_side().restore(viewer, Path(path))
        return findings


def _finite(position: Any) -> tuple[float, float, float]:
    try:
        z, y, x = (float(v) for v in position)
    except (TypeError, ValueError):
        z = y = x = math.nan
    if not all(map(math.isfinite, (z, y, x))):
        msg = (
            "expected the reference position as three finite numbers z, y, x; found"
            f" {position!r:.60}"
        )
        raise OptionError(msg)
    return (z, y, x)


def _bare(path: Path) -> str:
    return path.name.removesuffix(SUFFIX).removesuffix(".zarr")


def _with_position(
    contents: SessionContents, position: tuple[float, float, float]
) -> SessionContents:
    from dataclasses import replace

    return replace(contents, reference_position=position)


def napari_side() -> Any:
    """Return the module that takes viewers apart; by name, since it stands above."""
    return import_module("brickfield.plugin.sessions.in_viewer")


def contents_of(source: Any) -> SessionContents:
    """Take what is to be saved of a viewer, a scene or a storage.

    Raises
    ------
    OptionError
        For anything else.
    """
    if isinstance(source, SessionContents):
        return source
    if isinstance(source, SceneState):
        return SessionContents(source)
    if hasattr(source, "layers") and hasattr(source, "dims"):
        found: SessionContents = napari_side().contents_of(source)
        return found
    if hasattr(source, "channel_ids") and callable(getattr(source, "channel", None)):
        from brickfield.sessions.storage import contents_of_storage

        return contents_of_storage(source)
    msg = (
        "expected a napari viewer, a scene document or a voxel storage to save; found"
        f" {type(source).__name__}"
    )
    raise OptionError(msg)


def info_of(document: SessionDocument, version: str, layers: Layers) -> Json:
    """Describe a session as plain values.

    Parameters
    ----------
    document : SessionDocument
    version : str
        Of OME-Zarr.
    layers : Layers
        Where data were found.
    """
    entries = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "image": image,
            "source": None if found.uri is None else hide_secrets(found.uri),
            "status": found.status,
        }
        for layer, image, found in zip(
            document.scene.layers, layers.images, layers.found, strict=True
        )
    ]
    return {
        "format": "brickfield session",
        "schema": document.version,
        "name": document.name,
        "description": document.description,
        "created": document.created,
        "program": document.program,
        "mode": document.mode,
        "ome_version": version,
        "reference_position": _listed(document.reference_position),
        "bounds": None
        if document.bounds is None
        else [list(corner) for corner in document.bounds],
        "layers": entries,
        "annotations": [
            {"name": one.name, "type": one.type} for one in document.annotations
        ],
        "findings": list(layers.findings),
    }


def _listed(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else list(values)
