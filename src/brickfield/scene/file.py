"""Scene documents in files, with data beside them named relative to them.

A folder with data and its scene can so be moved or handed on. A URL and data that
lie elsewhere keep their full name.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brickfield.errors import (
    SceneStateError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.model.secrets import has_secrets
from brickfield.scene.document import SceneSource, SceneState
from brickfield.sources.io import read_whole
from brickfield.writing import usable_path, write_text

logger = logging.getLogger(__name__)

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_STEPS_UP = 2


def read_scene(path: str | os.PathLike[str]) -> SceneState:
    """Read a document; relative places become absolute ones.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, SceneStateError
    """
    place = Path(path)
    try:
        text = read_whole(place)
    except FileNotFoundError as error:
        msg = f"expected a scene document at {place}; found nothing"
        raise StoreNotFoundError(msg) from error
    except StoreFormatError as error:
        raise SceneStateError(str(error)) from error
    except OSError as error:
        msg = f"expected to read {place}; found {error.strerror or error}"
        raise StoreAccessError(msg) from error
    try:
        state = SceneState.from_json(text)
    except SceneStateError as error:
        msg = f"{place}: {error}"
        raise SceneStateError(msg) from error
    return resolved(state, place.parent)


def write_scene(state: SceneState, path: str | os.PathLike[str]) -> None:
    """Write a document completely or not at all; data beside it are named relative to it.

    An address with a password or a token keeps it, because nothing could be opened
    again without; that is logged, and nobody else on this machine may read the file.

    Parameters
    ----------
    state : SceneState
    path : str or os.PathLike

    Raises
    ------
    StoreWriteError
    """
    place = Path(path)
    text = relative_to(state, place.parent).to_json()
    target = usable_path(place)
    write_text(target, text)
    sources = (layer.source for layer in state.layers)
    if any(isinstance(s, SceneSource) and has_secrets(s.uri) for s in sources):
        with suppress(OSError):
            target.chmod(0o600)
        logger.warning(
            "%s holds what gives access to its data (a password, token or signed"
            " address): do not hand it on",
            place,
        )


def relative_to(state: SceneState, folder: str | os.PathLike[str]) -> SceneState:
    """Return the document with paths in and near a folder made relative to it.

    Parameters
    ----------
    state : SceneState
    folder : str or os.PathLike
    """
    base = os.path.normpath(Path(folder).absolute())

    def shorten(uri: str) -> str:
        if _is_url(uri) or not Path(uri).is_absolute():
            return uri
        try:
            path = os.path.relpath(uri, base)
        except ValueError:  # another drive
            return uri
        parts = Path(path).parts
        return uri if parts.count("..") > _STEPS_UP else posixpath.join(*parts)

    return _with_places(state, shorten)


def resolved(state: SceneState, folder: str | os.PathLike[str]) -> SceneState:
    """Return the document with relative paths resolved against a folder.

    Parameters
    ----------
    state : SceneState
    folder : str or os.PathLike
    """
    base = os.path.normpath(Path(folder).absolute())

    def lengthen(uri: str) -> str:
        return uri if _is_url(uri) else os.path.normpath(Path(base) / uri)

    return _with_places(state, lengthen)


def _is_url(uri: str) -> bool:
    return _URL.match(uri) is not None


def _with_places(state: SceneState, change: Callable[[str], str]) -> SceneState:
    layers = []
    for layer in state.layers:
        if isinstance(layer.source, SceneSource):
            source = layer.source.model_copy(update={"uri": change(layer.source.uri)})
            layer = layer.model_copy(update={"source": source})
        layers.append(layer)
    return state.model_copy(update={"layers": tuple(layers)})
