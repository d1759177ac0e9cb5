"""Sessions of a napari viewer: everything in it taken, and put back.

Images and labels are in the scene document; all other layers (points, shapes,
tracks, vectors, surfaces, pictures in colour) are kept whole beside it. What touches
the viewer runs on its thread; reading and writing may run on any.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import OptionError, SceneStateError
from brickfield.model import Axis
from brickfield.plugin.layers.describe import KEY, LayerData
from brickfield.plugin.layers.make import level_of
from brickfield.plugin.layers.registry import scene_of
from brickfield.plugin.scenes.scene_document import get_state
from brickfield.plugin.scenes.scene_files import open_what_lacks, put_opened, sources_in
from brickfield.plugin.sessions.around import (
    NAPARI,
    OVERLAYS,
    STEM,
    around,
    put_around,
)
from brickfield.sessions import (
    Annotation,
    Layers,
    SessionContents,
    SessionDocument,
    read_annotation,
    read_document,
    resolved_layers,
)
from brickfield.sources import ChunkSource, from_arrays

OFFLINE = "offline"
"""In a layer's metadata: where its data were, while a preview stands for them."""
SESSION = "brickfield session"
"""In an annotation's metadata: the session that it was read from, and its group."""
CHANNEL = "session channel"
"""In a layer's metadata: number, and what else its session says of its channel."""
_loaded: weakref.WeakKeyDictionary[Any, SessionDocument] = weakref.WeakKeyDictionary()
"""By viewer, the session that was put there last."""
Json = dict[str, Any]
_FURTHER = "tuvwabcdefgh"
"""Names of further axes, the last but three first."""


# -- taking ------------------------------------------------------------------------


def contents_of(viewer: Any) -> SessionContents:
    """Take everything that a viewer has; on its thread.

    Raises
    ------
    OptionError
        When a layer has more axes than can be saved.
    """
    state = get_state(viewer)
    # Pictures in colour are in a viewer's scene, but no scene can name them.
    listed = zip(scene_of(viewer).layers, state.layers, strict=True)
    pairs = [(p, entry) for p, entry in listed if not getattr(p.layer, "rgb", False)]
    state = state.model_copy(update={"layers": tuple(entry for _, entry in pairs)})
    sources: dict[int, ChunkSource] = {}
    channels: dict[int, int | None] = {}
    held: list[Any] = []
    known: dict[int, Json] = {}
    for i, (port, entry) in enumerate(pairs):
        known[i] = _noted(port.layer)
        level = level_of(port.layer)
        if level is not None:
            held.append(level.store)
            sources[i] = level.store.source
            channels[i] = port.layer.metadata.get(KEY, {}).get("channel")
        elif entry.source == "memory":
            sources[i] = _source_of(port.layer)
            channels[i] = None
    shown = {id(port.layer) for port, _ in pairs}
    annotations = tuple(
        _annotation(layer, position)
        for position, layer in enumerate(viewer.layers)
        if id(layer) not in shown
    )
    before = _loaded.get(viewer) if any(known.values()) else None
    return SessionContents(
        state,
        sources,
        channels,
        channel_ids=_distinct(known),
        channel_extras={i: told.get("extras", {}) for i, told in known.items()},
        annotations=annotations,
        reference_position=None if before is None else before.reference_position,
        further={**({} if before is None else _unknown(before)), **around(viewer)},
        held=tuple(held),
    )


def _noted(layer: Any) -> Json:
    """Return what a layer's session said of its channel."""
    told = layer.metadata.get(KEY)
    noted = told.get(CHANNEL) if isinstance(told, dict) else None
    return noted if isinstance(noted, dict) else {}


def _distinct(known: Mapping[int, Json]) -> dict[int, int]:
    """Return the channels' numbers; new layers get numbers that nobody has."""
    given = {i: int(told["id"]) for i, told in known.items() if "id" in told}
    taken = set(given.values())
    free = (n for n in count() if n not in taken)
    return {i: given[i] if i in given else next(free) for i in sorted(known)}


def _unknown(document: SessionDocument) -> Json:
    """Return the fields of a session that are kept as they are."""
    own = {"origins", OVERLAYS, NAPARI, STEM}
    return {k: v for k, v in (document.model_extra or {}).items() if k not in own}


def _source_of(layer: Any) -> ChunkSource:
    """Make a source of a layer's array in memory; never a copy of it."""
    finest = layer.data[0] if layer.multiscale else layer.data
    n_other = max(0, int(layer.ndim) - 3)
    if n_other > 2:
        msg = (
            f"expected at most 5 axes to save; found {layer.ndim} in the layer"
            f" {layer.name!r}: leave it out"
        )
        raise OptionError(msg)
    names = _FURTHER[:n_other]
    axes = [Axis(name, "time" if name == "t" else "other") for name in names]
    axes += [Axis(name, "space") for name in "zyx"[-min(3, layer.ndim) :]]
    return from_arrays(
        finest,
        axes=axes,
        scale=[abs(float(s)) or 1.0 for s in layer.scale],
        translation=[float(t) for t in layer.translate],
        name=str(layer.name),
        is_labels=hasattr(layer, "show_selected_label"),
    )


def _annotation(layer: Any, position: int) -> Annotation:
    data, details, kind = layer.as_layer_data_tuple()
    kept = {name: _plain(value) for name, value in details.items()}
    kept["units"] = [str(unit) for unit in details.get("units") or ()] or None
    metadata = {k: v for k, v in layer.metadata.items() if k != SESSION}
    kept["metadata"] = metadata
    if layer.multiscale if hasattr(layer, "multiscale") else False:
        data = [np.asarray(level) for level in data]
    elif kind in ("image", "labels"):
        data = np.asarray(data)
    return Annotation(str(layer.name), kind, data, kept, position)


def _plain(value: Any) -> Any:
    """Return napari's own objects as what its layers can be made with again."""
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return {str(k): np.asarray(v) for k, v in value.to_dict("list").items()}
    if hasattr(value, "affine_matrix"):
        return np.asarray(value.affine_matrix)
    dump = getattr(value, "model_dump", getattr(value, "dict", None))
    value = dump() if callable(dump) else value
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value.value if isinstance(value, Enum) else value


# -- reading, on any thread --------------------------------------------------------


@dataclass(frozen=True)
class LoadedSession:
    """A session with its layers' data open; belongs to no viewer yet.

    Attributes
    ----------
    folder : Path
    document : SessionDocument
    layers : Layers
    annotations : tuple of Annotation
    opened : list of LayerData
    """

    folder: Path
    document: SessionDocument
    layers: Layers
    annotations: tuple[Annotation, ...]
    opened: list[LayerData]


def load(folder: Path, known: Sequence[Any]) -> LoadedSession:
    """Read a session and open what no layer shows yet; from any thread.

    Parameters
    ----------
    folder : Path
    known : sequence
        As :func:`~brickfield.plugin.scenes.scene_files.sources_in` lists them.

    Raises
    ------
    BrickfieldError
        Then nothing is open.
    """
    document, _ = read_document(folder)
    annotations = tuple(read_annotation(folder, one) for one in document.annotations)
    layers = resolved_layers(document, folder)
    opened = open_what_lacks(layers.scene, known)
    return LoadedSession(folder, document, layers, annotations, opened)


# -- putting back, on the viewer's thread ------------------------------------------


def restore(viewer: Any, folder: Path) -> list[dict[str, str]]:
    """Put a session into a viewer; see ``SessionManager.restore``.

    Parameters
    ----------
    viewer : napari.Viewer
    folder : Path
        Of the session.
    """
    return put(viewer, load(folder, sources_in(viewer)))


def put(viewer: Any, session: LoadedSession) -> list[dict[str, str]]:
    """Put a loaded session into a viewer: layers in their order, transforms, views.

    Parameters
    ----------
    viewer : napari.Viewer
    session : LoadedSession

    Returns
    -------
    list of dict
        What is not as it was saved.

    Raises
    ------
    SceneStateError
        Then the viewer is as it was.
    """
    made = [_made(one, session.folder) for one in session.annotations]
    put_opened(viewer, session.layers.scene, session.opened)
    _mark(viewer, session.layers, session.document)
    _remove_earlier(viewer)
    for one, layer in sorted(
        zip(session.annotations, made, strict=True), key=lambda pair: pair[0].position
    ):
        viewer.layers.insert(min(one.position, len(viewer.layers)), layer)
        layer.name = one.name
    _loaded[viewer] = session.document
    put_around(viewer, session.document.model_extra or {})
    return list(session.layers.findings)


def _made(one: Annotation, folder: Path) -> Any:
    from napari.layers import Layer

    details = dict(one.details)
    mark = f"{os.path.abspath(folder)}:{one.position}:{one.name}"  # noqa: PTH100
    details["metadata"] = {**(details.get("metadata") or {}), SESSION: mark}
    try:
        return Layer.create(one.data, details, one.type)
    except Exception as error:
        msg = f"expected values of the layer {one.name!r} that napari takes; found: {error}"
        raise SceneStateError(msg) from error


def _mark(viewer: Any, layers: Layers, document: SessionDocument) -> None:
    """Note in every layer what its session says of it."""
    channels = {channel.image: channel for channel in document.channels}
    ports = scene_of(viewer).layers
    for port, image, found in zip(ports, layers.images, layers.found, strict=False):
        told = port.layer.metadata.get(KEY)
        if not isinstance(told, dict):
            continue
        told.pop(OFFLINE, None)
        if found.status == "offline":
            told[OFFLINE] = found.uri
        level = level_of(port.layer)
        if level is not None:
            level.store.is_preview = found.status == "offline"
        channel = channels.get(image)
        if channel is not None:
            extras = dict(channel.model_extra or {})
            told[CHANNEL] = {"id": channel.id, "extras": extras}


def _remove_earlier(viewer: Any) -> None:
    """Remove annotations that a session put there before, as its images are."""
    for layer in list(viewer.layers):
        if SESSION in layer.metadata:
            viewer.layers.remove(layer)
