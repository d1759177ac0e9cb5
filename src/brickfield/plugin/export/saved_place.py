"""Where a layer that napari hands to a writer lies, as an OME-Zarr image tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import AffineTransform

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class SavedPlace:
    """A box of voxels along the axes, and what turns it afterwards.

    Attributes
    ----------
    scale, translation : tuple of float
        One value for each axis of the layer.
    placement : AffineTransform or None
        Applied to the box, (z, y, x); None where the box says all.
    """

    scale: tuple[float, ...]
    translation: tuple[float, ...]
    placement: AffineTransform | None = None


def own_affine(meta: Mapping[str, Any]) -> Any:
    """Return napari's affine of all that it says of a layer but its ``affine``.

    Parameters
    ----------
    meta : mapping
        As for :func:`where_saved`.
    """
    from napari.utils.transforms import Affine

    return Affine(
        scale=meta["scale"],
        translate=meta["translate"],
        rotate=meta.get("rotate"),
        shear=meta.get("shear"),
        ndim=len(meta["scale"]),
    )


def where_saved(meta: Mapping[str, Any], n_spatial: int) -> SavedPlace:
    """Part what napari says of a layer into a box and a placement.

    Parameters
    ----------
    meta : mapping
        As napari hands it to writers: ``scale``, ``translate``, and what there is of
        ``rotate``, ``shear`` and ``affine``.
    n_spatial : int
        How many of the last axes are those of space.

    Raises
    ------
    OptionError
        If the layer is turned between space and another axis.
    """
    n = len(meta["scale"])
    own = own_affine(meta).affine_matrix
    whole = np.asarray(meta.get("affine", np.eye(n + 1))) @ own
    lead = n - n_spatial
    _check_apart(whole[:-1, :-1], lead)
    scale, shift = np.diag(whole)[:-1].copy(), whole[:-1, -1].copy()
    linear = whole[lead:-1, lead:-1]
    if _is_diagonal(linear) and (np.diag(linear) > 0).all():
        return SavedPlace(tuple(scale.tolist()), tuple(shift.tolist()))
    # What napari keeps in two parts is written in two parts, so that it comes back so.
    scale[lead:] = np.abs(np.asarray(meta["scale"], dtype=float)[lead:])
    is_box = _is_diagonal(own[lead:-1, lead:-1])
    shift[lead:] = np.asarray(meta["translate"])[lead:] if is_box else 0.0
    box = np.diag([*scale[lead:], 1.0])
    box[:-1, -1] = shift[lead:]
    matrix = np.eye(4)
    space = whole[lead:, lead:]
    matrix[3 - n_spatial :, 3 - n_spatial :] = space @ np.linalg.inv(box)
    placement = AffineTransform.from_matrix(matrix)
    return SavedPlace(tuple(scale.tolist()), tuple(shift.tolist()), placement)


def _is_diagonal(matrix: F64) -> bool:
    return not (matrix - np.diag(np.diag(matrix))).any()


def _check_apart(linear: F64, lead: int) -> None:
    """Refuse what an image of several times or channels cannot say."""
    beside = linear[:lead, :lead]
    is_apart = not linear[:lead, lead:].any() and not linear[lead:, :lead].any()
    if not is_apart or not _is_diagonal(beside):
        msg = (
            "expected a layer that is turned in space alone; found one that is turned"
            " between space and another axis: reset its transform, or save it as a session"
        )
        raise OptionError(msg)
