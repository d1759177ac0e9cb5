"""Writing a session: images beside each other, the root's metadata last.

Everything is built in a folder beside the target and put in place by one rename, so
a save that is killed or cancelled leaves the session of before, or none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from brickfield.blockwise import Progress
from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreWriteError,
    source_error,
)
from brickfield.model.secrets import hide_secrets
from brickfield.scene import SceneLayer, SceneSource
from brickfield.sessions.about import guard_secrets, program, write_crate
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
from brickfield.sessions.kept import (
    Kept,
    KeptLayers,
    copy_image,
    image_names,
)
from brickfield.sessions.looks import bounds_of, channel_for_others, matrix_of
from brickfield.sessions.reference import noted
from brickfield.sources import ChunkSource
from brickfield.writing import (
    VERSIONS,
    building,
    check_known,
    publish_collection,
)

MODES = ("reference", "embed")
_AT_ONCE = 4


@dataclass(frozen=True)
class SaveControl:
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
    control: SaveControl | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Path:
    """Write a session.

    Parameters
    ----------
    contents : SessionContents
    target : Path
        Folder; made, or replaced where that is allowed.
    options : SessionOptions
    control : SaveControl, optional
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
    control = control or SaveControl()
    with _named(target), ExitStack() as held:
        parts = _parts(contents, options, target, held)
        readers = [p.image.source for p in parts if p.image and not p.is_own]
        with building(
            target, overwrite=options.overwrite, sources=readers, syncs=True
        ) as root:
            control.check()
            grids = _write_images(parts, root, options, control)
            annotations = [
                write_annotation(one, root, i, options.version)
                for i, one in enumerate(contents.annotations)
            ]
            document = _document(contents, parts, grids, options, target.absolute())
            document = document.model_copy(
                update={
                    "annotations": tuple(annotations),
                    "created": now().isoformat(timespec="seconds"),
                }
            )
            control.check()
            _publish(document, root, options.version)
    return target


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """Name the session in errors, not the folder beside it; there is no going on."""
    try:
        yield
    except StoreWriteError as error:
        text = re.sub(r"\S*\.unfinished/new", lambda _: str(target), str(error))
        text = re.sub(r", then run the same command again to go on", "", text)
        text = re.sub(r" \(after \d+ of \d+ blocks\)", "", text)
        raise StoreWriteError(text) from error


# -- images ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """One layer, and how it goes into the session.

    Attributes
    ----------
    name : str
        Of its image.
    how : {"embed", "preview", "copy"}
    image : LayerImage or None
        None where the image is copied from a session.
    kept : Kept or None
        What a session holds of it already.
    is_own : bool
        Whether that is the session that is written over.
    """

    name: str
    how: str
    image: LayerImage | None
    kept: Kept | None = None
    is_own: bool = False


def _parts(
    contents: SessionContents, options: SessionOptions, target: Path, held: ExitStack
) -> list[_Part]:
    """Decide for every layer; open what is read and not open yet."""
    known = KeptLayers(target)
    kept = [known.of(layer) for layer in contents.scene.layers]
    own = [one is not None and known.is_target(one) for one in kept]
    names = image_names(kept, known.is_target)
    ways = [
        _way(layer, one, options, is_own=is_own)
        for layer, one, is_own in zip(contents.scene.layers, kept, own, strict=True)
    ]
    images = _layer_images(contents, names, ways, held)
    return [_Part(*facts) for facts in zip(names, ways, images, kept, own, strict=True)]


def _way(
    layer: SceneLayer, kept: Kept | None, options: SessionOptions, *, is_own: bool
) -> str:
    if kept is not None:
        is_only_there = is_own or kept.origin is None
        if not kept.is_in:
            return "copy" if kept.version == options.version else "preview"
        if is_own or (is_only_there and options.mode == "reference"):
            return "copy" if kept.version == options.version else "embed"
    is_named = isinstance(layer.source, SceneSource)
    return "embed" if options.mode == "embed" or not is_named else "preview"


def _layer_images(
    contents: SessionContents,
    names: Sequence[str],
    ways: Sequence[str],
    held: ExitStack,
) -> list[LayerImage | None]:
    """Return what is written of the layers that are not copied."""
    opened = _opened(contents, ways, held)
    where = contents.scene.exploration
    images: list[LayerImage | None] = []
    for i, layer in enumerate(contents.scene.layers):
        source = opened.get(i)
        if source is None:
            images.append(None)
            continue
        channel = contents.channels.get(i)
        if i not in contents.channels and isinstance(layer.source, SceneSource):
            channel = layer.source.channel
        axis = source.info.pyramid.time_axis
        position = dict(where.positions)
        if axis is not None:
            position[source.info.pyramid.axes[axis].name] = where.time
        images.append(
            LayerImage(
                names[i],
                source,
                channel,
                channel_for_others(layer),
                layer.kind == "labels" or source.info.is_labels,
                position,
            )
        )
    return images


def _opened(
    contents: SessionContents, ways: Sequence[str], held: ExitStack
) -> dict[int, ChunkSource]:
    wanted: dict[str, tuple[int, SceneSource]] = {}
    read = [i for i, way in enumerate(ways) if way != "copy"]
    for i in read:
        layer = contents.scene.layers[i]
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
    layers = contents.scene.layers
    return {i: contents.sources.get(i) or found[_key(layers[i].source)] for i in read}


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
    options = source.model_dump(exclude={"uri", "channel"}, exclude_none=True)
    try:
        return open_whole(source.uri, **options)
    except BrickfieldError as error:
        raise source_error(error, f"{place}: {error}") from error


def open_whole(
    uri: str,
    *,
    margin: float = 0.0,
    tiles: Mapping[str, Any] | None = None,
    **options: Any,
) -> ChunkSource:
    """Open data as a viewer does: all images of a scene as one, unless one is chosen.

    Parameters
    ----------
    uri : str
    margin : float
        Room round the images of a scene.
    tiles : mapping, optional
        Where they lie, as the scene document says it.
    **options
        As for :func:`brickfield.sources.open_source`.
    """
    from brickfield.sources import open_source

    if tiles:
        return open_source(uri, mosaic=tiles, **options)
    found = open_source(uri, **options)
    if found.info.is_in_scene and not set(options) - {"treat_403_as_missing"}:
        # Where they cannot be put together, the first one is shown.
        with suppress(BrickfieldError):
            together = open_source(uri, mosaic={"margin": margin}, **options)
            found.close()
            return together
    return found


def _key(source: Any) -> str:
    return json.dumps(source.model_dump(exclude={"channel"}), sort_keys=True)


def _write_images(
    parts: Sequence[_Part], root: Path, options: SessionOptions, control: SaveControl
) -> list[SessionImage]:
    whole = [p.image for p in parts if p.image and p.how == "embed"]
    small = [p.image for p in parts if p.image and p.how == "preview"]
    if not parts:
        whole = [_placeholder()]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-preview") as pool:
        previews = list(pool.map(partial(preview, root=root, options=options), small))
    control.check()
    copied = [_copied(part, root, control) for part in parts if part.how == "copy"]
    embedded = (
        embed(whole, root, options, control.progress, control.cancel) if whole else []
    )
    if control.progress is not None and not whole:
        control.progress(len(parts), len(parts), 0, 0.0)
    grids = {grid.image: grid for grid in (*previews, *embedded, *copied)}
    return [_grid(part, grids[part.name]) for part in parts]


def _copied(part: _Part, root: Path, control: SaveControl) -> SessionImage:
    assert part.kept is not None
    copy_image(part.kept, root / part.name, moves=part.is_own, check=control.check)
    return part.kept.grid.model_copy(update={"image": part.name})


def _grid(part: _Part, made: SessionImage) -> SessionImage:
    """Return a layer's grid: of data that are gone, that of the data."""
    if part.kept is None or part.kept.is_in:
        return made
    return part.kept.grid.model_copy(update={"image": part.name})


def _placeholder() -> LayerImage:
    """Make the one voxel of a session without image layers; collections need one."""
    from brickfield.model import Channel
    from brickfield.sources import from_arrays

    empty = from_arrays(np.zeros((1, 1, 1), np.uint8), name="no image")
    return LayerImage("0", empty, None, Channel("no image"), False, {})


# -- the document ------------------------------------------------------------------


def _document(
    contents: SessionContents,
    parts: Sequence[_Part],
    grids: Sequence[SessionImage],
    options: SessionOptions,
    target: Path,
) -> SessionDocument:
    layers, origins = [], []
    named: list[tuple[str, str]] = []
    gone: list[SessionSource] = []
    for layer, part, grid in zip(contents.scene.layers, parts, grids, strict=True):
        layers.append(_written_layer(layer, part, grid))
        source = layer.source
        if not grid.embedded and part.kept is not None and not part.kept.is_in:
            gone.append(part.kept.noted(part.name, target))
        elif not grid.embedded and isinstance(source, SceneSource):
            named.append((source.uri, part.name))
        elif (origin := _origin(layer, part)) is not None:
            origins.append(origin)
    boxes = {
        i: (grid.shape, layer.transform)
        for i, (grid, layer) in enumerate(zip(grids, layers, strict=True))
        if layer.transform is not None
    }
    return SessionDocument(
        name=options.name,
        description=options.description,
        program=program(),
        mode=options.mode,  # type: ignore[arg-type]  # checked before
        scene=contents.scene.model_copy(update={"layers": tuple(layers)}),
        reference_position=contents.reference_position,
        bounds=bounds_of(boxes),
        channels=tuple(
            SessionChannel(
                **{
                    **contents.channel_extras.get(i, {}),
                    "id": contents.channel_ids.get(i, i),
                    "name": layer.name,
                    "image": part.name,
                }
            )
            for i, (layer, part) in enumerate(zip(layers, parts, strict=True))
        ),
        sources=(*_noted(named, target), *gone),
        images=tuple(grids),
        **{**contents.further, "origins": origins},
    )


def _written_layer(layer: SceneLayer, part: _Part, grid: SessionImage) -> SceneLayer:
    """Return a layer as the session's scene has it: in the session, or by name."""
    matrix = layer.transform if part.kept is None else part.kept.matrix(layer)
    if matrix is None and part.image is not None:
        matrix = matrix_of(part.image.source.info.pyramid, part.image.channel)
    source = layer.source
    if not grid.embedded:
        source = source if part.kept is None else part.kept.layer.source
    elif part.image is not None:
        source = SceneSource(uri=part.name, channel=part.image.written_channel)
    elif part.kept is not None and isinstance(part.kept.layer.source, SceneSource):
        source = part.kept.layer.source.model_copy(update={"uri": part.name})
    return layer.model_copy(update={"transform": matrix, "source": source})


def _origin(layer: SceneLayer, part: _Part) -> dict[str, Any] | None:
    """Say where voxels were copied from; None for what has always been here."""
    if part.kept is not None:
        origin = part.kept.origin
        return None if origin is None else {**origin, "image": part.name}
    if not isinstance(layer.source, SceneSource):
        return None
    return {"image": part.name, "uri": hide_secrets(layer.source.uri)}


def _noted(named: Sequence[tuple[str, str]], target: Path) -> tuple[SessionSource, ...]:
    """Note every place once, however many layers show it."""
    once = dict.fromkeys(uri for uri, _ in named)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-look") as pool:
        looks = list(pool.map(lambda uri: noted(uri, "0", target), once))
    found = dict(zip(once, looks, strict=True))
    return tuple(found[u].model_copy(update={"image": image}) for u, image in named)


def _publish(document: SessionDocument, root: Path, ome_version: str) -> None:
    write_crate(document, root)
    names = [one.image for one in document.images] or ["0"]
    private = {KEY: {"session": document.to_dict()}}
    publish_collection(root, ome_version, names, private, syncs=False)
    guard_secrets(document, root, ome_version)
