"""A session's layers with every source where it is now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError
from brickfield.scene import SceneLayer, SceneSource, SceneState
from brickfield.sessions.document import SessionDocument, SessionImage
from brickfield.sessions.reference import Found, find

_AT_ONCE = 4


@dataclass(frozen=True)
class Layers:
    """What a session's layers are now.

    Attributes
    ----------
    scene : SceneState
        Every source absolute and there.
    images : tuple of str
        Of every layer.
    found : tuple of Found
        Of every layer.
    findings : tuple of dict
        ``code`` and ``message`` of what is not as it was.
    """

    scene: SceneState
    images: tuple[str, ...]
    found: tuple[Found, ...]
    findings: tuple[dict[str, str], ...]

    @property
    def offline(self) -> list[str]:
        """Names of the layers whose data are gone."""
        pairs = zip(self.scene.layers, self.found, strict=True)
        return [layer.name for layer, f in pairs if f.status == "offline"]


def resolved_layers(document: SessionDocument, folder: Path) -> Layers:
    """Look for the data of all layers.

    Parameters
    ----------
    document : SessionDocument
    folder : Path
        Where the session is now.
    """
    images = document.image_names
    once: dict[str, Any] = {}
    for image in images:
        source = document.source_of(image)
        if source is not None:
            once.setdefault(source.absolute, source)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-look") as pool:
        looks = list(pool.map(lambda source: find(source, folder), once.values()))
    known = dict(zip(once, looks, strict=True))
    found, layers = [], []
    for image, layer in zip(images, document.scene.layers, strict=True):
        one = _found(document, layer, image, folder, known)
        found.append(one)
        layers.append(_placed(layer, document.grid_of(image), one, folder))
    scene = document.scene.model_copy(update={"layers": tuple(layers)})
    return Layers(scene, images, tuple(found), _findings(document, layers, found))


def _found(
    document: SessionDocument,
    layer: SceneLayer,
    image: str,
    folder: Path,
    known: Mapping[str, Found],
) -> Found:
    source = document.source_of(image)
    if source is not None:
        one = known[source.absolute]
        return _opened(one, layer) if one.status != "offline" else one
    if not (folder / image).is_dir():
        text = f"expected an image in {folder / image}; found none"
        return Found("offline", None, text)
    return Found("embedded", None)


def _opened(found: Found, layer: SceneLayer) -> Found:
    """Take what is there but cannot be opened for gone."""
    from brickfield.sources import find_format

    if found.uri is None or not isinstance(layer.source, SceneSource):
        return found
    try:
        find_format(found.uri)
    except BrickfieldError as error:
        return Found("offline", found.uri, f"{error}: preview shown")
    return found


def _placed(
    layer: SceneLayer, grid: SessionImage, found: Found, folder: Path
) -> SceneLayer:
    own = os.path.normpath(folder.absolute() / grid.image)
    named = layer.source if isinstance(layer.source, SceneSource) else None
    channel = None if named is not None and named.channel is None else 0
    source = SceneSource(uri=own, channel=channel)
    if found.status == "embedded":
        return layer.model_copy(update={"source": source})
    if found.status == "offline":
        matrix = preview_matrix(layer, grid)
        return layer.model_copy(update={"source": source, "transform": matrix})
    assert found.uri is not None
    if named is None:
        return layer
    source = named.model_copy(update={"uri": found.uri})
    return layer.model_copy(update={"source": source})


def preview_matrix(layer: SceneLayer, grid: SessionImage) -> Any:
    """Return the matrix from indices of a preview to world.

    Parameters
    ----------
    layer : SceneLayer
        Its matrix is that of level 0.
    grid : SessionImage

    Notes
    -----
    A voxel q of the preview has its centre at ``(t' + s' q - t) / s`` in indices of
    level 0, where s and t are voxel size and translation.
    """
    if layer.transform is None:
        return None
    m = np.asarray(layer.transform)
    n = len(m) - 1
    whole = to_level_0(grid, n)
    if whole is None:
        return layer.transform
    return tuple(tuple(row) for row in (m @ whole).tolist())


def to_level_0(grid: SessionImage, n: int) -> NDArray[np.float64] | None:
    """Return the matrix from indices of a preview to those of level 0.

    Parameters
    ----------
    grid : SessionImage
    n : int
        Axes of the layer.

    Returns
    -------
    ndarray, shape (n + 1, n + 1), float64, or None
        None where the session does not say enough of the preview.
    """
    given = (
        grid.voxel_size,
        grid.translation,
        grid.preview_voxel_size,
        grid.preview_translation,
    )
    if any(len(values) != n for values in given) or not all(grid.voxel_size):
        return None
    size, shift, new_size, new_shift = (np.asarray(v) for v in given)
    matrix = np.diag([*(new_size / size), 1.0])
    matrix[:-1, -1] = (new_shift - shift) / size
    return matrix


def _findings(
    document: SessionDocument, layers: list[SceneLayer], found: list[Found]
) -> tuple[dict[str, str], ...]:
    told = [
        {"code": one.status, "message": f"{layer.name}: {one.message}"}
        for layer, one in zip(layers, found, strict=True)
        if one.status in ("offline", "changed")
    ]
    for about in document.annotations:
        if about.left_out:
            text = f"{about.name}: not kept: {', '.join(about.left_out)}"
            told.append({"code": "left-out", "message": text})
    return tuple(told)
