"""Sessions whose data moved, and sessions made whole to be handed on."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError, StoreNotFoundError
from brickfield.scene import SceneSource
from brickfield.sessions.annotations import read_annotation
from brickfield.sessions.contents import SessionContents, SessionOptions
from brickfield.sessions.document import KEY, SessionDocument, read_document
from brickfield.sessions.reading import Layers, resolved_layers
from brickfield.sessions.reference import relative_to
from brickfield.sessions.writer import Told, guard_secrets, write_session
from brickfield.sources.io import read_whole
from brickfield.writing.metadata import write_json


def relink(folder: Path, old: str, new: str) -> int:
    """Let a session look below another place for the data that were below one.

    Nothing else changes, and no voxels are read; the new place need not be there.

    Parameters
    ----------
    folder : Path
        Of the session.
    old, new : str
        Folders, files or beginnings of addresses.

    Returns
    -------
    int
        Sources that are looked for elsewhere now.

    Raises
    ------
    OptionError
        When no source is below the old place.
    StoreNotFoundError, StoreAccessError, StoreFormatError, StoreWriteError
    """
    document, version = read_document(folder)
    old, new = _whole(old), _whole(new)
    changed = _relinked(document, folder, old, new)
    n = sum(
        a.absolute != b.absolute
        for a, b in zip(document.sources, changed.sources, strict=True)
    )
    if n == 0:
        known = sorted({source.absolute for source in document.sources})
        names = ", ".join(known[:3]) or "none"
        msg = f"expected sources of the session below {old}; found {names}"
        raise OptionError(msg)
    write_private(folder, version, changed)
    return n


def _whole(place: str) -> str:
    text = os.path.expanduser(place)  # noqa: PTH111 -- an address stays as it is
    if "://" in text:
        return text.rstrip("/")
    return os.path.normpath(os.path.abspath(text))  # noqa: PTH100 - links stay


def _below(place: str, old: str, new: str) -> str:
    if place == old:
        return new
    start = (
        old if old.endswith(("/", os.sep)) else old + ("/" if "://" in old else os.sep)
    )
    if not place.startswith(start):
        return place
    end = "/" if "://" in new else os.sep
    return new.rstrip("/" + os.sep) + end + place[len(start) :]


def _relinked(
    document: SessionDocument, folder: Path, old: str, new: str
) -> SessionDocument:
    sources = []
    for source in document.sources:
        place = _below(source.absolute, old, new)
        if place != source.absolute:
            near = None if "://" in place else relative_to(place, folder)
            source = source.model_copy(update={"absolute": place, "relative": near})
        sources.append(source)
    layers = []
    for i, layer in enumerate(document.scene.layers):
        own = layer.source
        if isinstance(own, SceneSource) and document.source_of(str(i)) is not None:
            named = own.model_copy(update={"uri": _below(own.uri, old, new)})
            layer = layer.model_copy(update={"source": named})
        layers.append(layer)
    scene = document.scene.model_copy(update={"layers": tuple(layers)})
    return document.model_copy(update={"sources": tuple(sources), "scene": scene})


def write_private(folder: Path, version: str, document: SessionDocument) -> None:
    """Replace the document of a session with one rename; other metadata stay.

    Parameters
    ----------
    folder : Path
        Of the session.
    version : str
        Of OME-Zarr.
    document : SessionDocument

    Raises
    ------
    StoreWriteError
    """
    path = folder / (".zattrs" if version == "0.4" else "zarr.json")
    whole: dict[str, Any] = json.loads(read_whole(path))
    attributes = whole if version == "0.4" else whole["attributes"]
    attributes[KEY]["session"] = document.to_dict()
    write_json(path, whole)
    guard_secrets(document, folder, version)


def pack(
    folder: Path, target: Path, *, overwrite: bool = False, told: Told | None = None
) -> Path:
    """Write the same session with every voxel in it: one folder to hand on.

    Parameters
    ----------
    folder : Path
        Of the session.
    target : Path
        Another folder.
    overwrite : bool
    told : Told, optional

    Raises
    ------
    StoreNotFoundError
        When data of a layer are gone.
    OptionError, StoreWriteError, CancelledError
    """
    document, version = read_document(folder)
    layers = resolved_layers(document, folder)
    if layers.offline:
        names = ", ".join(map(repr, layers.offline))
        msg = (
            f"expected the data of all layers to pack them; found those of {names} gone:"
            " relink the session first"
        )
        raise StoreNotFoundError(msg)
    options = SessionOptions(
        name=document.name,
        description=document.description,
        mode="embed",
        version="0.4" if version == "0.4" else "0.5",
        overwrite=overwrite,
    )
    contents = contents_of_session(document, folder, layers)
    return write_session(contents, target, options, told)


def contents_of_session(
    document: SessionDocument, folder: Path, layers: Layers
) -> SessionContents:
    """Return everything that a session contains, to be written again.

    Parameters
    ----------
    document : SessionDocument
    folder : Path
        Of the session.
    layers : Layers
        Where data were found.
    """
    annotations = tuple(read_annotation(folder, one) for one in document.annotations)
    ids = {int(channel.image): channel.id for channel in document.channels}
    extra = {k: v for k, v in (document.model_extra or {}).items() if k != "origins"}
    made = SessionContents(
        layers.scene,
        channel_ids=ids,
        annotations=annotations,
        reference_position=document.reference_position,
    )
    return replace(made, further=extra)
