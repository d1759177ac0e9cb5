"""How the layers of one image lie: a turn and a shift on top of what their file says.

Invariant: a layer's ``affine`` is ``base · move``, where `base` is the one it had before
it was first turned here and `move` the matrix of its :class:`Turn`, world. What the user
chose is kept in the layer's metadata, so that every dock, and a saved session, knows it;
when somebody else gives the layer another affine, that is the new base. No voxels are
touched. Main thread only.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, Axis, Vec3
from brickfield.model.units import unit_symbol
from brickfield.plugin.layers.make import store_behind
from brickfield.plugin.layers.transforms import n_spatial, shape_of
from brickfield.qt.transforms import Turn
from brickfield.transforms import (
    Affine,
    Deskew,
    Gaussian,
    Move,
    Place,
    Recipe,
    SmoothedMove,
)

F64 = NDArray[np.float64]
KEY = "brickfield turn"
"""In a layer's metadata: what was chosen, the affine before it, and the one after."""
USUAL_ANGLE = 30.0
"""Degrees that are offered for oblique planes."""
QUARTER_OFF = 1e-4
"""Degrees; a hundredth of a voxel at the end of 6,000."""


def can_turn(layer: Any) -> bool:
    """Tell whether a layer is an image or labels of one value per voxel, 2D or 3D."""
    is_picture = hasattr(layer, "data") and hasattr(layer, "contrast_limits")
    is_labels = type(layer).__name__ == "Labels"
    return (is_picture or is_labels) and not getattr(layer, "rgb", False)


def layers_like(viewer: Any, layer: Any) -> list[Any]:
    """Return the layers that lie together: all channels of one image.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari.layers.Layer
    """
    store = store_behind(layer)
    if store is None:
        return [layer]
    return [x for x in viewer.layers if store_behind(x) is store and can_turn(x)]


def missing_axes(layer: Any) -> tuple[str, ...]:
    """Return the axes of space that a layer lacks."""
    return ("z", "y", "x")[: 3 - n_spatial(layer)]


def middle_of(layer: Any) -> Vec3:
    """Return the centre of a layer (z, y, x), voxels."""
    k = n_spatial(layer)
    sizes = [1] * (3 - k) + list(shape_of(layer)[-k:])
    z, y, x = ((n - 1) / 2 for n in sizes)
    return (z, y, x)


def unit_of(layer: Any) -> str:
    """Return the unit of a layer's last axis, as people write it."""
    units = getattr(layer, "units", ()) or ("",)
    return unit_symbol(str(units[-1])) or "px"


def own_matrix(layer: Any) -> F64:
    """Return the map from voxels to world before ``affine``, shape (4, 4), (z, y, x, 1)."""
    from napari.utils.transforms import Affine as NapariAffine

    own = NapariAffine(
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        ndim=int(layer.ndim),
    ).affine_matrix
    return _of_space(own, n_spatial(layer))


def _of_space(matrix: F64, k: int) -> F64:
    found = np.eye(4)
    found[3 - k :, 3 - k :] = matrix[-k - 1 :, -k - 1 :]
    return found


def turn_of(layer: Any) -> Turn:
    """Return what was chosen for a layer; nothing where its affine is another now."""
    usual = Turn(axis="z" if missing_axes(layer) else "y", centre=middle_of(layer))
    told = layer.metadata.get(KEY)
    if not isinstance(told, dict):
        return usual
    try:
        turn, ours = Turn(**told["turn"]), np.asarray(told["affine"], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        return usual
    return turn if np.array_equal(layer.affine.affine_matrix, ours) else usual


def base_of(layer: Any) -> F64:
    """Return a layer's affine without what was chosen here, shape (n + 1, n + 1)."""
    told = layer.metadata.get(KEY)
    if isinstance(told, dict) and not turn_of(layer).is_nothing:
        return np.asarray(told["base"], dtype=np.float64)
    return np.asarray(layer.affine.affine_matrix, dtype=np.float64)


def set_turn(layer: Any, turn: Turn) -> None:
    """Let a layer lie as was chosen.

    Parameters
    ----------
    layer : napari.layers.Layer
    turn : Turn

    Raises
    ------
    OptionError
        When a number cannot be used.
    """
    moved = spread(layer, move_matrix(layer, replace(turn, degrees=_shown(turn))))
    base = base_of(layer)
    affine = base @ moved
    layer.metadata[KEY] = {
        "turn": asdict(turn),
        "base": base.tolist(),
        "affine": affine.tolist(),
    }
    with warnings.catch_warnings():
        # The dock says so; not at every step of a slider.
        warnings.filterwarnings("ignore", message="Non-orthogonal slicing")
        layer.affine = affine


def _shown(turn: Turn) -> float:
    """Return the angle that napari is given, which is never quite a quarter turn.

    napari inverts the part of the matrix that belongs to the two axes of a slice; after
    a quarter turn one of them lies along the line of sight, and that fails. What is
    baked is exact.
    """
    is_quarter = abs(turn.degrees) % 180 == 90
    return turn.degrees + QUARTER_OFF if is_quarter else turn.degrees


def reset(layer: Any) -> None:
    """Let a layer lie as before it was turned here."""
    base = base_of(layer)
    layer.metadata.pop(KEY, None)
    layer.affine = base


def move_matrix(layer: Any, turn: Turn) -> F64:
    """Return the turn and the shift in the layer's world, shape (4, 4), (z, y, x, 1).

    Parameters
    ----------
    layer : napari.layers.Layer
    turn : Turn

    Raises
    ------
    OptionError
        When a number cannot be used.
    """
    from brickfield.transforms import rotation, translation

    own = own_matrix(layer)
    lies = own if turn.deskew is None else _deskewed(own, turn.deskew)
    about = (lies @ [*turn.centre, 1.0])[:3].tolist()
    turned = rotation(turn.degrees, turn.axis, about, (1.0, 1.0, 1.0))
    return np.asarray(translation(turn.shift) @ turned @ lies @ np.linalg.inv(own))


def _deskewed(own: F64, oblique: Vec3) -> F64:
    """Return where a stack of oblique planes lies, voxels to world, shape (4, 4)."""
    z, y, x = own[:3, 3].tolist()
    place = Place((1, 1, 1), origin=(z, y, x))
    return np.asarray(Deskew(*oblique).to_world(place))


def usual_deskew(layer: Any) -> Vec3:
    """Return what is offered for a stack: an angle, and step and pixel as it says.

    Parameters
    ----------
    layer : napari.layers.Layer
    """
    z, y, _ = np.linalg.norm(own_matrix(layer)[:3, :3], axis=0).tolist()
    return (USUAL_ANGLE, z, y)


def spread(layer: Any, matrix: F64) -> F64:
    """Spread a matrix of space over all axes of a layer.

    Parameters
    ----------
    layer : napari.layers.Layer
    matrix : ndarray, shape (4, 4)

    Returns
    -------
    ndarray, shape (ndim + 1, ndim + 1)
    """
    k = n_spatial(layer)
    found = np.eye(int(layer.ndim) + 1)
    found[-k - 1 :, -k - 1 :] = matrix[3 - k :, 3 - k :]
    return found


# -- baking ------------------------------------------------------------------------


def recipe_of(layer: Any, turn: Turn) -> Recipe:
    """Return what bakes an image as it lies; the layer's base affine is left aside.

    Parameters
    ----------
    layer : napari.layers.Layer
    turn : Turn

    Raises
    ------
    OptionError
        When there is nothing to bake.
    """
    if turn.is_nothing:
        msg = "Turn, shift or smooth the image first"
        raise OptionError(msg)
    is_moved = bool(turn.degrees % 360) or any(turn.shift)
    if turn.deskew is not None:
        return _deskewing(layer, turn, is_alone=not (is_moved or any(turn.sigma)))
    if not is_moved:
        return Gaussian(turn.sigma)
    own, move = own_matrix(layer), _move(layer, turn)
    if not np.allclose(own, _stored_place(layer, own)):
        # The layer's own scale and place are not those of the file.
        stored = _stored_place(layer, own)
        voxels = np.linalg.inv(own) @ move_matrix(layer, turn) @ own
        matrix = stored @ voxels @ np.linalg.inv(stored)
        chosen: Move | Affine = Affine.by(matrix)
    else:
        chosen = move
    return SmoothedMove(turn.sigma, chosen) if any(turn.sigma) else chosen


def _deskewing(layer: Any, turn: Turn, *, is_alone: bool) -> Deskew:
    assert turn.deskew is not None
    own = own_matrix(layer)
    if not is_alone:
        msg = "Bake the deskewed stack alone first; turn, shift or smooth what it gives"
        raise OptionError(msg)
    if not np.allclose(own[:3, 3], _stored_place(layer, own)[:3, 3]):
        msg = (
            "expected a stack that begins where its file says; found a layer with another"
            " translation: set it back first"
        )
        raise OptionError(msg)
    return Deskew(*turn.deskew)


def _move(layer: Any, turn: Turn) -> Move:
    return Move(turn.degrees, turn.axis, turn.centre, turn.shift, is_world=True)


def _stored_place(layer: Any, own: F64) -> F64:
    """Return where the data that are baked say that they lie, shape (4, 4)."""
    store = store_behind(layer)
    if store is None:
        # An array goes with the layer's scale and place; turns of its own do not.
        place = np.diag([*np.linalg.norm(own[:3, :3], axis=0), 1.0])
        place[:3, 3] = own[:3, 3]
        return place
    return AffineTransform.of_level(store.pyramid.levels[0]).matrix


def source_of(layer: Any) -> Any:
    """Return what is read when a layer is baked: a store's source, or its array's.

    Raises
    ------
    OptionError
        When the layer's data cannot be read as an image.
    """
    from brickfield.sources import from_arrays

    store = store_behind(layer)
    if store is not None:
        return store.source
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    n, k = int(layer.ndim), n_spatial(layer)
    lead = ["t", "c"][-(n - k) :] if n > k else []
    if n - k > len(lead):
        msg = f"expected at most 5 axes to bake; found {n}: choose a part of it first"
        raise OptionError(msg)
    units = [str(u) for u in getattr(layer, "units", ())]
    names = [*lead, *"zyx"[3 - k :]]
    kinds = {"t": "time", "c": "channel"}
    axes = [
        Axis(name, kinds.get(name, "space"), _unit_name(units, i))  # type: ignore[arg-type]
        for i, name in enumerate(names)
    ]
    return from_arrays(
        data,
        axes=axes,
        scale=[float(s) for s in layer.scale],
        translation=[float(t) for t in layer.translate],
        name=str(layer.name),
        is_labels=type(layer).__name__ == "Labels",
    )


def _unit_name(units: list[str], i: int) -> str | None:
    return units[i] if i < len(units) and units[i] != "pixel" else None
