"""Centres of mass of patterns, and what follows from how they move over the scan.

A field is an array of shape (2, scan y, scan x): the component along rows, then the
one along columns, pixels of the detector. A beam is drawn towards atoms, so the field
points uphill in the projected potential: its integral (:func:`integrate`) is bright
where atoms are.

Detector and scan are in general turned against each other, and may be mirrored. A
field that is a gradient has no curl; the angle that leaves least of it is found in
closed form (:func:`find_rotation`). An angle and the same plus 180 degrees leave the
same curl: which of them is right, the contrast of the integral shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block
from brickfield.errors import OptionError
from brickfield.sources.scans import ScanData
from brickfield.stem4d.detectors import Detector, Weights
from brickfield.stem4d.overviews import centre_of_sums
from brickfield.stem4d.passes import PassOptions, scan_pass
from brickfield.stem4d.summing.pieces import Pieces

Field = NDArray[np.float64]
Image = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rotation:
    """How detector and scan lie to each other.

    Attributes
    ----------
    degrees : float
        To turn the field by, columns towards rows; above -90, up to 90.
    is_flipped : bool
        Whether the component along rows is negated first.
    curl : float
        Root mean square of the curl that is left.
    curl_otherwise : float
        That of the best angle with the other choice of `is_flipped`.
    """

    degrees: float
    is_flipped: bool
    curl: float
    curl_otherwise: float


def centre_of_mass(
    data: ScanData, detector: Detector, options: PassOptions | None = None
) -> Field:
    """Find the centre of mass of the pixels of a detector, at every position.

    Parameters
    ----------
    data : ScanData
    detector : Detector
    options : PassOptions, optional

    Returns
    -------
    ndarray, shape (2, scan y, scan x), float64
        Row and column, pixels; NaN where all that counts is 0.

    Raises
    ------
    OptionError
        If no pixel counts.
    ChunkReadError
    """
    weights = detector.mask(data.shape[2:])
    if not weights.any():
        msg = (
            f"expected a detector within patterns of {data.shape[2:]}; found none of it"
        )
        raise OptionError(msg)
    start = np.full((2, *data.shape[:2]), np.nan)
    function = partial(_centres, weights=weights)
    return scan_pass(data, function, _place, start, options).require()


def _centres(_block: Block, patterns: Pieces, weights: Weights) -> Field:
    rows, columns = np.flatnonzero(weights.any(1)), np.flatnonzero(weights.any(0))
    # A detector often covers a small part of the pattern: only its box is converted.
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    n_y, n_x = patterns.shape[:2]
    found = np.empty((2, n_y * n_x))
    for at, piece in patterns:
        counted = piece[:, *box].astype(np.float64) * weights[box]
        found[:, at] = centre_of_sums(counted.sum(axis=2), counted.sum(axis=1))
    corner = np.array([rows[0], columns[0]], np.float64)
    return (found + corner[:, None]).reshape(2, n_y, n_x)


def _place(whole: Field, block: Block, part: Field) -> Field:
    whole[:, *block.slices] = part
    return whole


def remove_descan(field: Field) -> Field:
    """Subtract the plane that fits each component best: what the scan itself moves.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)
        NaN is no data, and stays.
    """
    y, x = np.indices(field.shape[1:], np.float64)
    design = np.stack([np.ones(y.size), y.ravel(), x.ravel()], axis=1)
    found = []
    for component in field:
        values = component.ravel()
        is_known = np.isfinite(values)
        if not is_known.any():
            found.append(component)
            continue
        plane = np.linalg.lstsq(design[is_known], values[is_known], rcond=None)[0]
        found.append(component - (design @ plane).reshape(component.shape))
    return np.stack(found)


def centred(field: Field) -> Field:
    """Subtract the mean of each component; NaN, where nothing is known, becomes 0."""
    is_known = np.isfinite(field)
    n = np.maximum(is_known.sum(axis=(1, 2), keepdims=True), 1)
    known = np.where(is_known, field, 0.0)
    mean = known.sum(axis=(1, 2), keepdims=True) / n
    return np.where(is_known, field - mean, 0.0)


def rotated(field: Field, degrees: float, *, is_flipped: bool = False) -> Field:
    """Turn the vectors of a field, not their places.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)
    degrees : float
        Columns towards rows.
    is_flipped : bool
        Negate the component along rows first.
    """
    rows = -field[0] if is_flipped else field[0]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.stack([s * field[1] + c * rows, c * field[1] - s * rows])


def find_rotation(field: Field, is_flipped: bool | None = None) -> Rotation:
    """Find how a field is to be turned, and whether flipped, to have least curl.

    With divergence D and curl C of the field, that turned by t has the curl
    D sin t + C cos t; the sum of its squares is least where
    2 t = atan2(sum DC, (sum CC - sum DD) / 2) + 180 degrees.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)
    is_flipped : bool, optional
        Whether to flip; both are tried if not given.

    Raises
    ------
    OptionError
        If there are fewer than two positions along an axis.
    """
    if min(field.shape[1:]) < 2:
        msg = f"expected two positions or more along both axes; found {field.shape[1:]}"
        raise OptionError(msg)
    tried = {
        flip: _least_curl(rotated(field, 0, is_flipped=flip)) for flip in (False, True)
    }
    best = is_flipped
    if best is None:
        best = tried[True][1] < tried[False][1]
    degrees, left = tried[best]
    return Rotation(degrees, best, left, tried[not best][1])


def _least_curl(field: Field) -> tuple[float, float]:
    d, c = divergence(field).ravel(), curl(field).ravel()
    dd, cc, dc = float(d @ d), float(c @ c), float(d @ c)
    angle = np.degrees(np.arctan2(dc, (cc - dd) / 2) + np.pi) / 2
    degrees = float(90 - (90 - angle) % 180)
    left = (dd + cc) / 2 - np.hypot((cc - dd) / 2, dc)
    return degrees, float(np.sqrt(max(left, 0.0) / d.size))


def divergence(field: Field) -> Image:
    """Return the divergence, by central differences; pixels a scan step.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)
        Two positions or more along both axes.
    """
    known = centred(field)
    found: Image = np.gradient(known[0], axis=0) + np.gradient(known[1], axis=1)
    return found


def curl(field: Field) -> Image:
    """Return the curl, by central differences; as :func:`divergence`."""
    known = centred(field)
    found: Image = np.gradient(known[0], axis=1) - np.gradient(known[1], axis=0)
    return found


def dpc(field: Field) -> NDArray[np.float64]:
    """Return length and direction of a field about its mean.

    Returns
    -------
    ndarray, shape (2, scan y, scan x)
        Pixels; radians, 0 along columns, turning towards rows.
    """
    rows, columns = centred(field)
    return np.stack([np.hypot(rows, columns), np.arctan2(rows, columns)])


def integrate(field: Field) -> Image:
    """Find the image whose gradient is nearest to a field (iCOM).

    One transform of rows and columns as one complex image: its quotient by the
    complex frequency has the least-squares solution as real part (Frankot and
    Chellappa 1988; Lazic et al., Ultramicroscopy 160, 2016, 265-280). The scan is
    taken to go on periodically.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)

    Returns
    -------
    ndarray, shape (scan y, scan x)
        Pixels of the detector times scan steps, mean 0.
    """
    from scipy import fft

    rows, columns = centred(field)
    ny, nx = rows.shape
    frequency = np.fft.fftfreq(nx)[None, :] + 1j * np.fft.fftfreq(ny)[:, None]
    frequency[0, 0] = 1.0
    spectrum = fft.fft2(columns + 1j * rows) / (2j * np.pi * frequency)
    spectrum[0, 0] = 0.0
    found: Image = np.ascontiguousarray(fft.ifft2(spectrum).real)
    return found


def prepared(
    field: Field,
    *,
    descan: bool = False,
    rotation: float | str | None = None,
    is_flipped: bool | None = None,
) -> Field:
    """Bring a field into the scan's own directions.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)
    descan : bool
        Subtract planes first.
    rotation : float, "auto" or None
        Degrees; ``"auto"`` for least curl; not at all if None.
    is_flipped : bool, optional
        Negate the component along rows; with ``"auto"`` both are tried if not given.

    Raises
    ------
    OptionError
    """
    if descan:
        field = remove_descan(field)
    if rotation == "auto":
        found = find_rotation(field, is_flipped)
        return rotated(field, found.degrees, is_flipped=found.is_flipped)
    if isinstance(rotation, str):
        msg = f"expected a rotation in degrees, or auto; found {rotation!r}"
        raise OptionError(msg)
    if rotation is None and not is_flipped:
        return field
    return rotated(field, rotation or 0.0, is_flipped=bool(is_flipped))


def result_of(field: Field, kind: str) -> NDArray[Any]:
    """Return what is asked for of a field.

    Parameters
    ----------
    field : ndarray, shape (2, scan y, scan x)
    kind : {"com", "dpc", "icom", "divergence", "curl"}

    Raises
    ------
    OptionError
    """
    kinds = {
        "com": np.asarray,
        "dpc": dpc,
        "icom": integrate,
        "divergence": divergence,
        "curl": curl,
    }
    if kind not in kinds:
        msg = f"expected one of {', '.join(kinds)}; found {kind!r}"
        raise OptionError(msg)
    found: NDArray[Any] = kinds[kind](field)  # type: ignore[operator]
    return found
