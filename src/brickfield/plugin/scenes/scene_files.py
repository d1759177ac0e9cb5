"""Scene documents in files: saved from a napari viewer and put back into one.

What reads or writes files is apart from what touches the viewer, so that a menu can
do the first in the background (:mod:`brickfield.plugin.scenes.scene_menu`), and a script
both at once. Putting back is all or nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brickfield.errors import BrickfieldError, OptionError, source_error
from brickfield.plugin.layers.describe import LayerData
from brickfield.plugin.layers.make import open_layer_data, store_behind
from brickfield.plugin.layers.registry import scene_of
from brickfield.plugin.scenes.recent_scenes import remember
from brickfield.plugin.scenes.scene_document import get_state, put_state, set_state
from brickfield.plugin.scenes.state_layers import open_options, source_of
from brickfield.scene import SceneSource, SceneState, read_scene, write_scene
from brickfield.writing import check_output, usable_path


def save_scene(viewer: Any, path: str | os.PathLike[str]) -> None:
    """Save the scene of a viewer as a document.

    Parameters
    ----------
    viewer : napari.Viewer
    path : str or Path
        JSON file; an older scene document there is replaced. Data in or near its
        folder are named relative to it.

    Raises
    ------
    OptionError
        If something else than a scene document is there, or data of a layer.
    StoreWriteError
        If there is no room or no right to write.
    """
    place = usable_path(path, "a scene document")
    write_document(get_state(viewer), place, open_sources(viewer))
    remember(place)


def load_scene(viewer: Any, path: str | os.PathLike[str]) -> None:
    """Put a scene document back into a viewer, all of it or nothing.

    Parameters
    ----------
    viewer : napari.Viewer
        With a window the dock is opened for it.
    path : str or Path
        As :func:`save_scene` wrote it.

    Raises
    ------
    StoreNotFoundError, StoreAccessError
        If the document cannot be read.
    SceneStateError
        If it is none or cannot be put back; then the viewer is as it was.
    """
    place = usable_path(path, "a scene document")
    set_state(viewer, read_scene(place))
    remember(place)


# -- without the viewer, for the background ----------------------------------------


def open_sources(viewer: Any) -> list[Any]:
    """List what the layers of a viewer read from."""
    stores = [store_behind(layer) for layer in viewer.layers]
    return [store.source for store in stores if store is not None]


def write_document(state: SceneState, path: Path, sources: Sequence[Any]) -> None:
    """Write a document, unless a file of another kind is there; see :func:`save_scene`.

    Parameters
    ----------
    state : SceneState
    path : Path
    sources : sequence
        What is open, and must not be replaced.

    Raises
    ------
    OptionError
        If something else than a scene document is there.
    """
    check_output(path, sources, option="the scene document", kind="")
    try:
        is_filled = path.stat().st_size > 0
    except OSError:
        is_filled = False
    if is_filled:
        try:
            read_scene(path)
        except BrickfieldError as error:
            msg = (
                "expected a new file or a scene document to replace; found that"
                f" {path} is none: give another name or remove it"
            )
            raise OptionError(msg) from error
    write_scene(state, path)


def sources_in(viewer: Any) -> list[SceneSource | str]:
    """List the sources of the layers that a viewer has."""
    return [source_of(port.layer) for port in scene_of(viewer).layers]


def open_what_lacks(
    state: SceneState, known: Sequence[SceneSource | str]
) -> list[LayerData]:
    """Open the data of a document that no layer shows yet; from any thread.

    Parameters
    ----------
    state : SceneState
    known : sequence of SceneSource or str
        Of the layers that there are, as :func:`sources_in` lists them.

    Returns
    -------
    list of tuple
        Layer data, for :func:`put_opened`.

    Raises
    ------
    SceneSourceError
    """
    free = list(known)
    found: list[LayerData] = []
    opened: list[tuple[str, dict[str, Any]]] = []
    for i, entry in enumerate(state.layers):
        source = entry.source
        if source in free:
            free.remove(source)
            continue
        if not isinstance(source, SceneSource):
            continue
        wanted = (source.uri, open_options(source))
        if wanted in opened:
            continue
        try:
            found += open_layer_data(wanted[0], **wanted[1])
        except Exception as error:
            place = f"layers[{i}].source"
            raise source_error(error, f"{place}: {error}") from error
        opened.append(wanted)
    return found


def put_opened(viewer: Any, state: SceneState, data: Sequence[LayerData]) -> None:
    """Restore a document with data that were opened before; all or nothing.

    Parameters
    ----------
    viewer : napari.Viewer
    state : SceneState
    data : sequence of LayerData
        Layer data tuples, one per layer.

    Raises
    ------
    SceneStateError
    """
    from napari.layers import Layer

    put_state(viewer, state, [Layer.create(*one) for one in data])
