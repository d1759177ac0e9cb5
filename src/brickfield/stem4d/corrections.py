"""Corrections of the detector, laid over a scan while it is read.

A scan with corrections is read like any other (:class:`CorrectedData`): views,
overviews, transforms and conversions see the same patterns, and what is kept with a
file says which corrections it was computed with. Nothing is corrected by default, and
the file is never changed.

Patterns are corrected in this order: (pattern - dark) x gain, the cross between the
chips, dead and hot pixels. Dark and gain give float32; the others keep the data type
and round to it. The formula of dark and gain is that of LiberTEM's corrections.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import OptionError
from brickfield.sources.scans import Scan, ScanData, Shape4

MOST_SAMPLED = 512
"""Patterns, spread evenly over the scan, in which dead pixels are looked for."""
LIMIT = 8.0
"""How many times the spread of its neighbours a dead or hot pixel is off."""
FACTOR = 3.0
"""And how many times brighter or darker than they: a narrow spot is not that steep."""
CHIPS_SIDE = 512
"""Pixels along a side of two by two chips, without a gap."""
_REACH = 2
_ALLOWED = 3
"""Pixels of a neighbourhood, 5 x 5, that may be off with the one in its middle."""
_MOST_RING = 16

Pattern = NDArray[Any]
Given = str | Path | NDArray[Any] | None
MeanOf = Callable[[str | Path], Pattern]
"""Path of a scan to its mean pattern."""


@dataclass(frozen=True, slots=True)
class CorrectionOptions:
    """The corrections that a user chose.

    Attributes
    ----------
    dead : str, Path, ndarray or None
        ``"auto"`` to find dead and hot pixels; else which they are, as a bool array
        of shape (rows, columns) or the ``.npy`` file of one.
    dark, gain : str, Path, ndarray or None
        Pattern to subtract, and factors to multiply with: arrays, ``.npy`` or
        ``.tif`` files, or scans, whose mean counts.
    cross : str, int or None
        Width, pixels, of the cross between two by two chips that is interpolated;
        ``"auto"`` for the gap of 512 pixels and more, else 2 or 3.
    """

    dead: Given = None
    dark: Given = None
    gain: Given = None
    cross: str | int | None = None

    def __bool__(self) -> bool:
        given = (self.dead, self.dark, self.gain, self.cross)
        return any(value is not None for value in given)


@dataclass(frozen=True, eq=False)
class Corrections:
    """Corrections of patterns of one shape.

    Attributes
    ----------
    dead : ndarray or None
        bool, shape (rows, columns).
    dark, gain : ndarray or None
        float32, shape (rows, columns).
    cross : tuple of slice or None
        Rows and columns that are interpolated.
    is_found : bool
        Whether `dead` was found in the patterns.
    """

    dead: NDArray[np.bool_] | None = None
    dark: NDArray[np.float32] | None = None
    gain: NDArray[np.float32] | None = None
    cross: tuple[slice, slice] | None = None
    is_found: bool = False

    def dtype(self, stored: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of corrected patterns."""
        is_scaled = self.dark is not None or self.gain is not None
        return np.dtype(np.float32) if is_scaled else stored

    def as_dict(self) -> dict[str, Any]:
        """Return what was applied as plain values; arrays by a digest."""
        found: dict[str, Any] = {}
        if self.dead is not None:
            found["dead"] = {
                "pixels": int(self.dead.sum()),
                "from": "auto" if self.is_found else "user",
                "digest": _digest(self.dead),
            }
        for name, values in (("dark", self.dark), ("gain", self.gain)):
            if values is not None:
                found[name] = {"digest": _digest(values)}
        if self.cross is not None:
            found["cross"] = [[s.start, s.stop] for s in self.cross]
        return found

    @cached_property
    def _neighbours(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        return [] if self.dead is None else live_neighbours(self.dead)

    def apply(self, read: Pattern, out: Pattern) -> None:
        """Correct patterns.

        Parameters
        ----------
        read : ndarray, shape (…, rows, columns)
        out : ndarray, shape (…, rows, columns)
            Contiguous, of the type that :meth:`dtype` gives.
        """
        if self.dark is None:
            out[...] = read
        else:
            np.subtract(read, self.dark, out=out, casting="same_kind")
        if self.gain is not None:
            out *= self.gain
        if self.cross is not None:
            _bridge(out, self.cross[0], -2)
            _bridge(out, self.cross[1], -1)
        flat = out.reshape(-1, out.shape[-2] * out.shape[-1])
        for pixels, around in self._neighbours:
            # Pixels with equally many live neighbours are done in one call.
            flat[:, pixels] = _rounded(np.median(flat[:, around], axis=-1), out.dtype)


class CorrectedData:
    """A scan whose patterns are corrected as they are read; safe in threads.

    Parameters
    ----------
    inner : ScanData
        The patterns as they are stored.
    corrections : Corrections
    is_growing : bool
        Patterns without any count are not written yet, and stay 0.
    """

    def __init__(
        self, inner: ScanData, corrections: Corrections, *, is_growing: bool = False
    ) -> None:
        self.inner, self.corrections = inner, corrections
        self._is_growing = is_growing
        self.shape: Shape4 = inner.shape
        self.dtype = corrections.dtype(np.dtype(inner.dtype))
        self.block = inner.block
        self.stored_frame_bytes = inner.stored_frame_bytes
        self._buffers = ThreadBuffers()

    def view(self, ys: slice, xs: slice, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read the patterns of a rectangle of the scan; see the protocol.

        Parameters
        ----------
        ys : slice
            Rows of the scan.
        xs : slice
            Columns of the scan.
        buffers : ThreadBuffers
            Memory of this thread that is used again.

        Returns
        -------
        ndarray, shape (n_y, n_x, rows, columns)
        """
        read = self.inner.view(ys, xs, buffers)
        out = self._buffers.take(read.shape, self.dtype)
        self.corrections.apply(read, out)
        if self._is_growing:
            out[~read.any(axis=(-2, -1))] = 0
        return out

    def held(self) -> AbstractContextManager[None]:
        """Keep files that this thread reads open until the end of the block."""
        held = getattr(self.inner, "held", nullcontext)
        return held()

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        return self.inner.places()

    def close(self) -> None:
        """Give files back."""
        self.inner.close()


def corrected(
    scan: Scan,
    options: CorrectionOptions,
    mean_of: MeanOf,
    *,
    is_growing: bool = False,
) -> Scan:
    """Lay corrections over an open scan.

    Parameters
    ----------
    scan : Scan
    options : CorrectionOptions
    mean_of : callable
        Reads a dark or gain that is a scan itself.
    is_growing : bool
        The scan is still written: dead pixels are not looked for before it is there.

    Returns
    -------
    Scan
        The same one if nothing is asked for.

    Raises
    ------
    OptionError
        If an array has another shape than the patterns, or cannot be used.
    StoreNotFoundError, StoreFormatError, ChunkReadError
        If a file cannot be read.
    """
    is_found = isinstance(options.dead, str) and options.dead == "auto"
    if is_growing and is_found:
        options, is_found = replace(options, dead=None), False
    if not options:
        return scan
    shape = scan.data.shape[2:]
    so_far = Corrections(
        dark=_numbers(options.dark, "--dark", shape, mean_of),
        gain=_numbers(options.gain, "--gain", shape, mean_of),
        cross=_cross(options.cross, shape),
    )
    dead = None
    if is_found:
        # Dead pixels are looked for in corrected patterns, where a gain that differs by
        # pixel no longer looks like a fault.
        dead = find_dead(CorrectedData(scan.data, so_far))
    elif options.dead is not None:
        dead = _mask(options.dead, shape)
    whole = replace(so_far, dead=dead, is_found=is_found)
    data = CorrectedData(scan.data, whole, is_growing=is_growing)
    return replace(scan, data=data, corrections=whole.as_dict())


def find_dead(data: ScanData) -> NDArray[np.bool_]:
    """Find pixels that count nothing, always the same, or far too much.

    The mean of a pixel is compared with those of its 5 × 5 neighbours: it must be off
    by :data:`LIMIT` times their spread (median absolute deviation, or the noise of
    the mean where that is more) and by :data:`FACTOR`, in both halves of the
    patterns, so that a single stray event marks nothing. A pixel whose variance is 0
    among neighbours that vary is stuck. Edges and narrow diffraction spots remain.

    Parameters
    ----------
    data : ScanData

    Returns
    -------
    ndarray, shape (rows, columns), bool

    Raises
    ------
    ChunkReadError
    """
    ny, nx = data.shape[:2]
    n = min(ny * nx, MOST_SAMPLED)
    # A pixel is off only if it is in both halves: one cosmic ray falls into one.
    halves = [_Moments.of(data.shape[2:]) for _ in range(2)]
    buffers = ThreadBuffers()
    for i in range(n):
        y, x = divmod(i * ny * nx // n, nx)
        pattern = data.view(slice(y, y + 1), slice(x, x + 1), buffers)[0, 0]
        halves[i % 2].add(pattern)
    if n < 2:
        halves[1] = halves[0]
    off = _is_off(halves[0]) & _is_off(halves[1])
    return off | _is_stuck(halves)


@dataclass
class _Moments:
    """Sums over patterns, shape (rows, columns), float64."""

    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    n: int = 0

    @classmethod
    def of(cls, shape: tuple[int, int]) -> _Moments:
        return cls(np.zeros(shape), np.zeros(shape))

    def add(self, pattern: Pattern) -> None:
        numbers = pattern.astype(np.float64)
        self.total += numbers
        self.squares += numbers * numbers
        self.n += 1

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.total / self.n

    @property
    def variance(self) -> NDArray[np.float64]:
        return np.maximum(self.squares / self.n - self.mean**2, 0)


def _is_off(moments: _Moments) -> NDArray[np.bool_]:
    mean = moments.mean
    around = np.sort(_neighbourhoods(mean), axis=-1)
    middle = around[..., around.shape[-1] // 2]
    low, high = around[..., _ALLOWED], around[..., -1 - _ALLOWED]
    # Medians, as the neighbours may hold dead pixels themselves; 1.4826 makes the
    # deviation that of a normal distribution.
    mad = np.median(np.abs(around - middle[..., None]), axis=-1)
    variance = np.median(_neighbourhoods(moments.variance), axis=-1)
    # One count in all patterns is the least that a mean can be off by.
    noise = np.sqrt(variance / moments.n) + 1 / moments.n
    spread = LIMIT * np.maximum(1.4826 * mad, noise)
    is_hot = (mean - high > spread) & (mean > FACTOR * high)
    is_cold = (low - mean > spread) & (FACTOR * mean < low)
    return np.asarray(is_hot | is_cold)


def _is_stuck(halves: list[_Moments]) -> NDArray[np.bool_]:
    whole = _Moments(
        halves[0].total + halves[1].total,
        halves[0].squares + halves[1].squares,
        halves[0].n + halves[1].n,
    )
    variance = whole.variance
    scale = np.maximum(whole.squares / whole.n, 1) * 1e-12  # of rounding
    varying = np.sort(_neighbourhoods(variance), axis=-1)[..., _ALLOWED]
    # Neighbours that vary by less than a count now and then prove nothing.
    return (variance <= scale) & (varying * whole.n > LIMIT**2)


def _neighbourhoods(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 5 × 5 neighbourhoods, shape (rows, columns, 25); mirrored at edges."""
    padded = np.pad(values, _REACH, mode="reflect")
    side = 2 * _REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.reshape(*values.shape, side * side)


def live_neighbours(
    dead: NDArray[np.bool_],
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the neighbours that each dead pixel is replaced by the median of.

    Those of the smallest square round it that holds three live pixels or more.

    Parameters
    ----------
    dead : ndarray, shape (rows, columns), bool

    Returns
    -------
    list of (ndarray, shape (n,), ndarray, shape (n, m))
        Flat numbers of pixels that have m live neighbours each, and of these.
    """
    rows, columns = dead.shape
    groups: dict[int, list[tuple[int, NDArray[np.intp]]]] = {}
    numbers = np.arange(dead.size).reshape(dead.shape)
    for y, x in np.argwhere(dead).tolist():
        for ring in range(1, _MOST_RING + 1):
            near = (
                slice(max(y - ring, 0), min(y + ring + 1, rows)),
                slice(max(x - ring, 0), min(x + ring + 1, columns)),
            )
            live = numbers[near][~dead[near]]
            # The median of three leaves out one that is wrong.
            if live.size >= 3:
                groups.setdefault(live.size, []).append((y * columns + x, live))
                break
    return [
        (np.array([p for p, _ in found]), np.stack([live for _, live in found]))
        for found in groups.values()
    ]


def _bridge(patterns: Pattern, gap: slice, axis: int) -> None:
    """Interpolate rows (axis -2) or columns (-1) linearly between those beside them."""
    moved = np.moveaxis(patterns, axis, 0)
    before, behind = (moved[i].astype(np.float64) for i in (gap.start - 1, gap.stop))
    n = gap.stop - gap.start + 1
    for step, at in enumerate(range(gap.start, gap.stop), start=1):
        between = before + (behind - before) * (step / n)
        moved[at] = _rounded(between, patterns.dtype)


def _rounded(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    return values if dtype.kind == "f" else np.rint(values).astype(dtype)


def _cross(width: str | int | None, shape: tuple[int, int]) -> Any:
    if width is None:
        return None
    found = []
    for n in shape:
        # Detectors of 2 × 2 chips of 256 pixels: what is over 512 is the gap. A gap in
        # the middle has the parity of the side.
        gap = n - CHIPS_SIDE if 0 < n - CHIPS_SIDE <= 8 else 2 + n % 2
        wide = gap if width == "auto" else _whole(width)
        if not 1 <= wide <= n - 2 or (n - wide) % 2:
            msg = (
                f"expected a cross in the middle of {n} pixels, {gap} wide for example;"
                f" found {width}"
            )
            raise OptionError(msg)
        found.append(slice((n - wide) // 2, (n + wide) // 2))
    return tuple(found)


def _whole(text: str | int) -> int:
    try:
        return int(text)
    except ValueError as error:
        msg = f"expected the width of a cross in pixels, or auto; found {text!r}"
        raise OptionError(msg) from error


def _mask(given: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    values = given if isinstance(given, np.ndarray) else _loaded(given, "--dead", None)
    _check_shape(values, "--dead", shape)
    mask = values.astype(np.bool_)
    if mask.all():
        msg = "expected some live pixels beside those of --dead; found none"
        raise OptionError(msg)
    return mask


def _numbers(
    given: Any, option: str, shape: tuple[int, int], mean_of: MeanOf
) -> NDArray[np.float32] | None:
    if given is None:
        return None
    values = given
    if not isinstance(given, np.ndarray):
        values = _loaded(given, option, mean_of)
    _check_shape(values, option, shape)
    if not np.isfinite(values).all():
        msg = f"expected finite numbers in {option}; found others: mark them dead"
        raise OptionError(msg)
    return np.asarray(values, np.float32)


def _check_shape(values: NDArray[Any], option: str, shape: tuple[int, int]) -> None:
    if values.shape != tuple(shape) or values.dtype.kind not in "biuf":
        msg = (
            f"expected numbers of the patterns' shape {tuple(shape)} for {option};"
            f" found {values.dtype} of shape {values.shape}"
        )
        raise OptionError(msg)


def _loaded(path: str | Path, option: str, mean_of: MeanOf | None) -> NDArray[Any]:
    """Read an array of a file, or the mean of a scan."""
    end = Path(path).suffix.lower()
    if end not in (".npy", ".tif", ".tiff") and mean_of is not None:
        return mean_of(path)
    try:
        if end not in (".tif", ".tiff"):
            # A pickle runs code of the file's author.
            return np.asarray(np.load(path, allow_pickle=False))
        from PIL import Image

        with Image.open(path) as image:
            return np.asarray(image)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        msg = f"expected {option} as a .npy, a .tif or a scan; found {path}: {error}"
        raise OptionError(msg) from error


def _digest(values: NDArray[Any]) -> str:
    return blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).hexdigest()
