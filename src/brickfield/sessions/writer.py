"""Writing a session: images beside each other, the root's metadata last.

Everything is built in a folder beside the target and put in place by one rename, so
a save that is killed or cancelled leaves the session of before, or none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from brickfield.blockwise import Progress
from brickfield.errors import BrickfieldError, OptionError, source_error
from brickfield.model.secrets import has_secrets, hide_secrets
from brickfield.scene import SceneSource
from brickfield.sessions.annotations import write_annotation
from brickfield.sessions.contents import SessionContents, SessionOptions
from brickfield.sessions.document import (
    KEY,
    SessionChannel,
    SessionDocument,
    SessionImage,
    SessionSource,
)
from brickfield.sessions.image import LayerImage, embed, preview
from brickfield.sessions.looks import bounds_of, channel_for_others, matrix_of
from brickfield.sessions.reference import noted
from brickfield.sources import ChunkSource
from brickfield.writing import (
    VERSIONS,
    building,
    check_known,
    publish_collection,
)
from brickfield.writing.metadata import own_version, write_json

logger = logging.getLogger(__name__)
MODES = ("reference", "embed")
RO_CRATE = "ro-crate-metadata.json"
_AT_ONCE = 8


@dataclass(frozen=True)
class Told:
    """How a save reports its progress, and learns that it was cancelled."""

    progress: Progress | None = None
    cancel: Event | None = None

    def check(self) -> None:
        """Stop when it was cancelled.

        Raises
        ------
        CancelledError
        """
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError


def write_session(
    contents: SessionContents,
    target: Path,
    options: SessionOptions,
    told: Told | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Path:
    """Write a session.

    Parameters
    ----------
    contents : SessionContents
    target : Path
        Folder; made, or replaced where that is allowed.
    options : SessionOptions
    told : Told, optional
    now : callable
        The time that the session notes.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OptionError
        When something lies under the name that may not be replaced, or is read.
    SceneSourceError
        When data that the scene names cannot be opened.
    StoreWriteError
        When there is no room or no right to write.
    CancelledError
        When it was cancelled; what was under the name stays.
    """
    check_known("version", options.version, VERSIONS)
    check_known("mode", options.mode, MODES)
    told = told or Told()
    with ExitStack() as held:
        images = _layer_images(contents, held)
        readers = [one.source for one in images]
        with building(
            target, overwrite=options.overwrite, sources=readers, syncs=True
        ) as root:
            told.check()
            grids = _write_images(contents, images, root, options, told)
            annotations = [
                write_annotation(one, root, i, options.version)
                for i, one in enumerate(contents.annotations)
            ]
            document = _document(contents, images, grids, options, target.absolute())
            document = document.model_copy(
                update={
                    "annotations": tuple(annotations),
                    "created": now().isoformat(timespec="seconds"),
                }
            )
            told.check()
            _publish(document, root, options.version)
    return target


# -- images ------------------------------------------------------------------------


def _layer_images(contents: SessionContents, held: ExitStack) -> list[LayerImage]:
    """Open what is not open yet; one image a layer."""
    opened = _opened(contents, held)
    where = contents.scene.exploration
    images = []
    for i, layer in enumerate(contents.scene.layers):
        source = opened[i]
        channel = contents.channels.get(i)
        if i not in contents.channels and isinstance(layer.source, SceneSource):
            channel = layer.source.channel
        axis = source.info.pyramid.time_axis
        position = dict(where.positions)
        if axis is not None:
            position[source.info.pyramid.axes[axis].name] = where.time
        images.append(
            LayerImage(
                str(i),
                source,
                channel,
                channel_for_others(layer),
                layer.kind == "labels" or source.info.is_labels,
                position,
            )
        )
    return images


def _opened(contents: SessionContents, held: ExitStack) -> list[ChunkSource]:
    wanted: dict[str, tuple[int, SceneSource]] = {}
    for i, layer in enumerate(contents.scene.layers):
        if i in contents.sources:
            continue
        if not isinstance(layer.source, SceneSource):
            msg = (
                f"expected voxels for the layer {layer.name!r}, which is in memory only;"
                " found none: save it from the viewer that shows it"
            )
            raise OptionError(msg)
        wanted.setdefault(_key(layer.source), (i, layer.source))

    def open_one(item: tuple[int, SceneSource]) -> ChunkSource:
        return opened_source(item[1], f"layers[{item[0]}].source")

    found: dict[str, ChunkSource] = {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-open") as pool:
        futures = {key: pool.submit(open_one, item) for key, item in wanted.items()}
        for key, future in futures.items():
            if future.exception() is None:
                found[key] = future.result()
                held.callback(found[key].close)
        for future in futures.values():
            future.result()
    return [
        contents.sources.get(i) or found[_key(layer.source)]
        for i, layer in enumerate(contents.scene.layers)
    ]


def opened_source(source: SceneSource, place: str) -> ChunkSource:
    """Open the data that a scene names.

    Parameters
    ----------
    source : SceneSource
    place : str
        In the document, for the message.

    Raises
    ------
    SceneSourceError
    """
    from brickfield.sources import open_source

    options = source.model_dump(exclude={"uri", "channel"}, exclude_none=True)
    try:
        return open_source(source.uri, **options)
    except BrickfieldError as error:
        raise source_error(error, f"{place}: {error}") from error


def _key(source: Any) -> str:
    return json.dumps(source.model_dump(exclude={"channel"}), sort_keys=True)


def _is_embedded(i: int, contents: SessionContents, options: SessionOptions) -> bool:
    is_named = isinstance(contents.scene.layers[i].source, SceneSource)
    return options.mode == "embed" or not is_named


def _write_images(
    contents: SessionContents,
    images: Sequence[LayerImage],
    root: Path,
    options: SessionOptions,
    told: Told,
) -> list[SessionImage]:
    whole = [one for i, one in enumerate(images) if _is_embedded(i, contents, options)]
    small = [one for one in images if one not in whole]
    if not images:
        whole = [_placeholder()]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-preview") as pool:
        previews = list(pool.map(partial(preview, root=root, options=options), small))
    told.check()
    embedded = embed(whole, root, options, told.progress, told.cancel) if whole else []
    if told.progress is not None and not whole:
        told.progress(len(small), len(small), 0, 0.0)
    grids = {grid.image: grid for grid in (*previews, *embedded)}
    return [grids[one.image] for one in images]


def _placeholder() -> LayerImage:
    """Make the one voxel of a session without image layers; collections need one."""
    from brickfield.model import Channel
    from brickfield.sources import from_arrays

    empty = from_arrays(np.zeros((1, 1, 1), np.uint8), name="no image")
    return LayerImage("0", empty, None, Channel("no image"), False, {})


# -- the document ------------------------------------------------------------------


def _document(
    contents: SessionContents,
    images: Sequence[LayerImage],
    grids: Sequence[SessionImage],
    options: SessionOptions,
    target: Path,
) -> SessionDocument:
    layers, sources, origins = [], [], []
    for layer, one, grid in zip(contents.scene.layers, images, grids, strict=True):
        made = layer
        if layer.transform is None:
            matrix = matrix_of(one.source.info.pyramid, one.channel)
            made = layer.model_copy(update={"transform": matrix})
        named = layer.source if isinstance(layer.source, SceneSource) else None
        if grid.embedded:
            own = SceneSource(uri=one.image, channel=one.written_channel)
            made = made.model_copy(update={"source": own})
            if named is not None:
                shown = hide_secrets(named.uri)
                origins.append({"image": one.image, "uri": shown})
        elif named is not None:
            sources.append((named.uri, one.image))
        layers.append(made)
    kept = [layer.transform for layer in layers]
    shapes = [grid.shape for grid in grids]
    boxes = dict(enumerate(zip(shapes, kept, strict=True)))
    return SessionDocument(
        name=options.name,
        description=options.description,
        program=program(),
        mode=options.mode,  # type: ignore[arg-type]  # checked before
        scene=contents.scene.model_copy(update={"layers": tuple(layers)}),
        reference_position=contents.reference_position,
        bounds=bounds_of(boxes),  # type: ignore[arg-type]  # none lacks its transform
        channels=tuple(
            SessionChannel(
                id=contents.channel_ids.get(i, i), name=layer.name, image=str(i)
            )
            for i, layer in enumerate(layers)
        ),
        sources=_noted(sources, target),
        images=tuple(grids),
        **{"origins": origins, **contents.further},
    )


def _noted(named: Sequence[tuple[str, str]], target: Path) -> tuple[SessionSource, ...]:
    """Note every place once, however many layers show it."""
    once = dict.fromkeys(uri for uri, _ in named)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-look") as pool:
        looks = list(pool.map(lambda uri: noted(uri, "0", target), once))
    found = dict(zip(once, looks, strict=True))
    return tuple(found[u].model_copy(update={"image": image}) for u, image in named)


def program() -> str:
    """Return this program's name and version."""
    return f"napari-brickfield {own_version()}"


def _publish(document: SessionDocument, root: Path, ome_version: str) -> None:
    write_crate(document, root)
    names = [one.image for one in document.images] or ["0"]
    private = {KEY: {"session": document.to_dict()}}
    publish_collection(root, ome_version, names, private, syncs=False)
    guard_secrets(document, root, ome_version)


def guard_secrets(document: SessionDocument, root: Path, ome_version: str) -> None:
    """Make the document private if it contains credentials, and log that.

    Parameters
    ----------
    document : SessionDocument
    root : Path
        Folder of the session.
    ome_version : str
        "0.4" or "0.5".
    """
    if not any(has_secrets(source.absolute) for source in document.sources):
        return
    with suppress(OSError):
        (root / ("zarr.json" if ome_version == "0.5" else ".zattrs")).chmod(0o600)
    logger.warning(
        "%s holds what gives access to its data (a password, token or signed"
        " address): do not hand it on",
        root.name,
    )


def write_crate(document: SessionDocument, root: Path) -> None:
    """Write the metadata of a research object crate: name, date, program, sources.

    Parameters
    ----------
    document : SessionDocument
    root : Path
        Folder of the session.
    """
    based_on = [hide_secrets(source.absolute) for source in document.sources]
    based_on += [str(one["uri"]) for one in _origins(document)]
    about = {
        "@id": RO_CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    dataset = {
        "@id": "./",
        "@type": "Dataset",
        "name": document.name or "session",
        "description": document.description or "A saved scene",
        "datePublished": document.created,
        "creator": {"@id": "#program"},
        "isBasedOn": [{"@id": uri} for uri in dict.fromkeys(based_on)],
    }
    maker = {
        "@id": "#program",
        "@type": "SoftwareApplication",
        "name": document.program,
    }
    crate = {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [about, dataset, maker],
    }
    write_json(root / RO_CRATE, crate, syncs=False)


def _origins(document: SessionDocument) -> Iterable[dict[str, Any]]:
    extra = document.model_extra or {}
    found = extra.get("origins")
    listed = found if isinstance(found, list) else []
    return [one for one in listed if isinstance(one, dict) and "uri" in one]
