"""Sessions whose data moved, and sessions made whole to be handed on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError, StoreNotFoundError
from brickfield.model.secrets import hide_secrets
from brickfield.scene import SceneSource
from brickfield.sessions.about import guard_secrets
from brickfield.sessions.annotations import read_annotation
from brickfield.sessions.contents import SessionContents, SessionOptions
from brickfield.sessions.document import KEY, SessionDocument, read_document
from brickfield.sessions.kept import extras
from brickfield.sessions.reading import Layers, resolved_layers
from brickfield.sessions.reference import METADATA, existing, looked_at, relative_to
from brickfield.sessions.writer import SaveControl, write_session
from brickfield.sources import has_same_content
from brickfield.sources.io import read_whole
from brickfield.writing import changing
from brickfield.writing.metadata import write_json

_MOST_LOOKED_AT = 200
"""Entries of a folder that may be data under another name."""


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
    read_document(folder)
    old, new = _whole(old), _whole(new)
    with changing(folder):
        document, version = read_document(folder)
        changed = _relinked(document, folder, old, new)
        n = sum(
            a.absolute != b.absolute
            for a, b in zip(document.sources, changed.sources, strict=True)
        )
        if n == 0:
            known = sorted({hide_secrets(s.absolute) for s in document.sources})
            names = ", ".join(known[:3]) or "none"
            msg = f"expected sources of the session below {old}; found {names}"
            raise OptionError(msg)
        write_private(folder, version, changed)
    return n


def relink_found(folder: Path, place: str | os.PathLike[str]) -> int:
    """Find all data of a session that are gone and moved to one place.

    A path that ends as one of theirs does, below the place, counts as theirs: the more
    of its folders are there, too, the better. What has another name now is known by its
    content; if only one layer's data are gone, the place may be any data.

    Parameters
    ----------
    folder : Path
        Of the session.
    place : path-like
        Folder that holds the data, or one above or below it, or the data.

    Returns
    -------
    int
        Sources that were found.

    Raises
    ------
    StoreNotFoundError
        When none of them was found.
    StoreAccessError, StoreFormatError, StoreWriteError
    """
    read_document(folder)
    chosen = Path(_whole(os.fspath(place)))
    with changing(folder):
        document, version = read_document(folder)
        gone = _gone(document, folder)
        found = {old: there for old in gone if (there := _moved_to(old, chosen))}
        found |= _renamed(gone, found, document, chosen)
        if not found and len(gone) == 1 and _is_data(chosen):
            found = {gone[0]: str(chosen)}
        if not found:
            names = ", ".join(Path(old).name for old in gone) or "data that are gone"
            msg = f"expected {names} in {chosen}; found none of them"
            raise StoreNotFoundError(msg)
        changed = document
        for old, new in found.items():
            changed = _relinked(changed, folder, old, new)
        write_private(folder, version, changed)
    return len(found)


def _gone(document: SessionDocument, folder: Path) -> list[str]:
    layers = resolved_layers(document, folder)
    gone = {
        image
        for image, one in zip(layers.images, layers.found, strict=True)
        if one.status == "offline"
    }
    places = [s.absolute for s in document.sources if s.image in gone]
    return list(dict.fromkeys(place for place in places if "://" not in place))


def _moved_to(old: str, chosen: Path) -> str | None:
    """Return where below a folder something lies that was elsewhere."""
    # The user may choose a folder above the data, or the data's own: then the names
    # begin one folder higher.
    parts = Path(old).parts[1:]
    for start in range(len(parts)):  # the longest common end first
        for above in (chosen, *chosen.parents[:1]):
            there = above.joinpath(*parts[start:])
            if os.path.lexists(existing(there)):
                return str(there)
    return None


def _renamed(
    gone: list[str], found: dict[str, str], document: SessionDocument, chosen: Path
) -> dict[str, str]:
    """Return where in a folder lies what has another name now, by its content."""
    wanted = {
        source.absolute: source.fingerprint
        for source in document.sources
        if source.absolute in gone and source.absolute not in found
    }
    if not wanted or not chosen.is_dir():
        return {}
    renamed: dict[str, str] = {}
    for place in [chosen, *sorted(chosen.iterdir())[:_MOST_LOOKED_AT]]:
        if str(place) in found.values() or not _is_data(place):
            continue
        now = looked_at(str(place))
        for old, then in wanted.items():
            if old not in renamed and has_same_content(then, now):
                renamed[old] = str(place)
    return renamed


def _is_data(place: Path) -> bool:
    """Tell whether a file or folder is an image itself, not a folder of some."""
    if place.is_dir() and not any((place / name).is_file() for name in METADATA):
        return False
    from brickfield.errors import BrickfieldError
    from brickfield.sources import find_format

    try:
        find_format(str(place))
    except BrickfieldError:
        return False
    return True


def _whole(place: str) -> str:
    text = os.path.expanduser(place)  # noqa: PTH111 -- an address stays as it is
    if "://" in text:
        return text.rstrip("/")
    return os.path.normpath(os.path.abspath(text))  # noqa: PTH100 - links stay


def _below(place: str, old: str, new: str) -> str:
    if place == old:
        return new
    # Whole names alone: /data is not above /data2.
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
    for image, layer in zip(document.image_names, document.scene.layers, strict=True):
        own = layer.source
        # Without a source the layer names an image in the session, which stays.
        if isinstance(own, SceneSource) and document.source_of(image) is not None:
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
    folder: Path,
    target: Path,
    *,
    overwrite: bool = False,
    control: SaveControl | None = None,
) -> Path:
    """Write the same session with every voxel in it: one folder to hand on.

    Parameters
    ----------
    folder : Path
        Of the session.
    target : Path
        Another folder.
    overwrite : bool
    control : SaveControl, optional

    Raises
    ------
    StoreNotFoundError
        When data of a layer are gone.
    OptionError, StoreWriteError, CancelledError
    """
    document, version = read_document(folder)
    contents = whole_contents(document, folder)
    options = SessionOptions(
        name=document.name,
        description=document.description,
        mode="embed",
        version="0.4" if version == "0.4" else "0.5",
        overwrite=overwrite,
    )
    return write_session(contents, target, options, control)


def whole_contents(document: SessionDocument, folder: Path) -> SessionContents:
    """Return everything that a session contains, of which nothing may be gone.

    Parameters
    ----------
    document : SessionDocument
    folder : Path
        Of the session.

    Raises
    ------
    StoreNotFoundError
        When data of a layer are gone.
    """
    layers = resolved_layers(document, folder)
    if layers.offline:
        names = ", ".join(map(repr, layers.offline))
        msg = (
            f"expected the data of all layers; found those of {names} gone: relink the"
            " session first"
        )
        raise StoreNotFoundError(msg)
    return contents_of_session(document, folder, layers)


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
    at = {image: i for i, image in enumerate(document.image_names)}
    known = {at[c.image]: c for c in document.channels if c.image in at}
    return SessionContents(
        layers.scene,
        channel_ids={i: channel.id for i, channel in known.items()},
        channel_extras={i: extras(channel) for i, channel in known.items()},
        annotations=annotations,
        reference_position=document.reference_position,
        further={k: v for k, v in extras(document).items() if k != "origins"},
    )
