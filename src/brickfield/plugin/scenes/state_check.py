"""What a scene document requires of napari, checked before anything is changed.

The document itself is checked where it is read (:mod:`brickfield.scene.document`). What
only napari or the data can tell (names of blending and interpolation, colormaps,
the number of axes, label numbers, whether a layer is an image) is checked here,
against layers that are found or opened but not changed yet. Every refusal is a
:class:`~brickfield.errors.SceneStateError` that names the field.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brickfield.errors import OptionError, SceneStateError
from brickfield.model import AffineTransform, Plane
from brickfield.scene import SceneLayer, SceneState

_VIEWPORT = (64, 64)
_HIGHEST_LEVEL = 2**62


def check_views(document: SceneState) -> None:
    """Check cameras, the level that is asked for and the oblique plane.

    Raises
    ------
    SceneStateError
    """
    for name, camera in document.views.cameras.items():
        with np.errstate(all="ignore"):
            matrix = camera.camera(_VIEWPORT).view_matrix
        if not np.isfinite(matrix).all():
            _refuse(
                f"views.cameras.{name}", "a position and a target within reach", camera
            )
    level = document.lod.forced_level
    if level is not None and level > _HIGHEST_LEVEL:
        _refuse("lod.forced_level", "the number of a level", level)
    plane = document.exploration.plane
    if plane is not None:
        try:
            Plane(plane.position, plane.normal)
        except OptionError as error:
            msg = f"exploration.plane: {error}"
            raise SceneStateError(msg) from error


def check_layer(layer: Any, entry: SceneLayer, place: str) -> None:
    """Check that a napari layer can look and lie as its entry says.

    Parameters
    ----------
    layer : napari.layers.Image or napari.layers.Labels
    entry : SceneLayer
    place : str
        Of the entry in the document, as ``layers[2]``.

    Raises
    ------
    SceneStateError
    """
    is_labels = hasattr(layer, "show_selected_label")
    kind = "labels" if is_labels else "image"
    if "kind" in entry.model_fields_set and entry.kind != kind:
        _refuse(f"{place}.kind", f"{kind!r}, which the data are", entry.kind)
    _check_words(entry, place, is_labels=is_labels)
    _check_colormap(entry, f"{place}.colormap")
    _check_transform(layer, entry, f"{place}.transform")
    if is_labels and entry.selected_label is not None:
        _check_label(layer, entry.selected_label, f"{place}.selected_label")


def _check_words(entry: SceneLayer, place: str, *, is_labels: bool) -> None:
    """Try napari's names on a hidden layer."""
    from napari.layers import Image, Labels

    flat = np.zeros((2, 2), np.uint8)
    image = Image(flat)
    probe: Any = Labels(flat) if is_labels else image
    _try_word(probe, "blending", entry.blending, f"{place}.blending")
    _try_word(image, "interpolation3d", entry.interpolation, f"{place}.interpolation")
    if (word := entry.slice_interpolation) is not None:
        _try_word(image, "interpolation2d", word, f"{place}.slice_interpolation")
    if "mode" in entry.model_fields_set or not is_labels:
        _try_word(probe, "rendering", entry.mode, f"{place}.mode")


def _try_word(probe: Any, name: str, word: str, place: str) -> None:
    try:
        setattr(probe, name, word)
    except (ValueError, NotImplementedError) as error:
        kind = type(probe).__name__.lower()
        msg = f"{place}: expected a word that napari takes for {kind}; found {word!r}"
        raise SceneStateError(msg) from error


def _check_colormap(entry: SceneLayer, place: str) -> None:
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    from brickfield.viewer import lut

    if not isinstance(entry.colormap, str):
        first, last = entry.colormap[0][0], entry.colormap[-1][0]
        if (first, last) != (0.0, 1.0):
            _refuse(place, "stops from position 0 to position 1", [first, last])
    elif entry.colormap not in AVAILABLE_COLORMAPS:
        try:
            lut(entry.colormap)
        except OptionError as error:
            msg = f"{place}: {error}"
            raise SceneStateError(msg) from error


def _check_transform(layer: Any, entry: SceneLayer, place: str) -> None:
    if entry.transform is None:
        return
    n = int(layer.ndim) + 1
    if len(entry.transform) != n:
        found = f"{len(entry.transform)} × {len(entry.transform)}"
        msg = (
            f"{place}: expected {n} × {n} numbers for the {n - 1} axes of the data;"
            f" found {found}"
        )
        raise SceneStateError(msg)
    k = min(3, n - 1)
    matrix = np.eye(4)
    matrix[3 - k :, 3 - k :] = np.array(entry.transform)[-k - 1 :, -k - 1 :]
    with np.errstate(all="ignore"):
        try:
            back = AffineTransform.from_matrix(matrix).inverse.matrix
        except (ValueError, np.linalg.LinAlgError):
            back = np.full((4, 4), np.nan)
    if not np.isfinite(back).all():
        _refuse(place, "a matrix that can be inverted", entry.transform)


def _check_label(layer: Any, number: int, place: str) -> None:
    data = layer.data[0] if layer.multiscale else layer.data
    kind = np.dtype(data.dtype)
    if kind.kind == "b":
        low, high = 0, 1
    else:
        low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    if not low <= number <= high:
        _refuse(place, f"a number from {low} to {high}, as the data have", number)


def _refuse(place: str, expected: str, found: object) -> None:
    text = repr(found)
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    msg = f"{place}: expected {expected}; found {shown}"
    raise SceneStateError(msg)
