"""Reads parts of a stored transform, as little as is asked for.

Chunks are read by position, past the HDF5 library; the half of a spectrum that was
not stored is completed from the other: F(-k) is the conjugate of F(k). Indices are
those of the whole spectrum, zero frequency first; :attr:`LazyFFTAccessor.shifted` has
it in the middle of every transformed axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError, StoreNotFoundError
from brickfield.sources.hdf5 import HDF5_LOCK, share
from brickfield.sources.scans import Scan
from brickfield.stem4d.cache.bulk import BulkFile, find_bulk
from brickfield.stem4d.cache.items import dataset_of
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.fft.plan import AXES, MODES

Indices = NDArray[np.intp]
Of = Callable[[NDArray[np.complex64]], NDArray[Any]]


class LazyFFTAccessor:
    """A stored transform, read where it is indexed; safe in threads.

    ``accessor[y, x]`` is the spectrum at one position of the scan (or one scan
    frequency): shape (detector y, detector x), complex64. Whole numbers and slices
    work on all four axes.

    Parameters
    ----------
    source : str, Path, Scan or EMDCacheManager
        The scan that was transformed.
    mode : {"4d", "detector", "scan"}

    Raises
    ------
    StoreNotFoundError
        When no valid transform of this mode is kept.
    OptionError
        If the mode is not known.

    Attributes
    ----------
    shape : tuple of int
        Of the whole spectrum.
    mode : str
    is_half : bool
        Whether half of it is stored.
    """

    ndim = 4
    dtype = np.dtype(np.complex64)

    def __init__(
        self, source: str | Path | Scan | EMDCacheManager, mode: str = "4d"
    ) -> None:
        if mode not in MODES:
            msg = f"expected a mode out of {', '.join(MODES)}; found {mode!r}"
            raise OptionError(msg)
        is_own = not isinstance(source, EMDCacheManager)
        cache = (
            source if isinstance(source, EMDCacheManager) else EMDCacheManager(source)
        )
        try:
            place = cache.find(f"fft_{mode}")
        finally:
            if is_own:
                cache.close()
        if place is None:
            msg = (
                f"expected a transform of the mode {mode} with {cache.scan.path}; found"
                f' none that is valid: compute it with "brickfield stem fft"'
            )
            raise StoreNotFoundError(msg)
        self.mode, self.path = mode, place
        self._bulk = find_bulk(place, f"fft_{mode}")
        shared = share(place)
        try:
            with HDF5_LOCK:
                about = dict(dataset_of(shared.file, f"fft_{mode}").attrs)
        finally:
            shared.close()
        self.is_half = about["spectrum"] == "half"
        self.shape = tuple(int(n) for n in about["full_shape"])
        self._file = BulkFile(place, is_writable=False)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[np.complex64]:
        """Read a part of the whole spectrum."""
        return self.take(index, is_shifted=False)

    def take(self, index: Any, *, is_shifted: bool) -> NDArray[np.complex64]:
        """Read a part.

        Parameters
        ----------
        index : int, slice, Ellipsis or tuple of these
        is_shifted : bool
            Whether zero frequency is in the middle of transformed axes.

        Returns
        -------
        ndarray, shape of the part, complex64

        Raises
        ------
        IndexError, ChunkReadError
        """
        parts = _parts(index)
        axes = [
            np.arange(n)[part if isinstance(part, slice) else [part]]
            for part, n in zip(parts, self.shape, strict=True)
        ]
        if is_shifted:
            for axis in AXES[self.mode]:
                n = self.shape[axis]
                # Shifting only renumbers the frequencies, so nothing is read that is
                # not asked for.
                axes[axis] = (axes[axis] - n // 2) % n
        whole = self._completed(axes)
        picked = tuple(slice(None) if isinstance(p, slice) else 0 for p in parts)
        return np.asarray(whole[picked])

    def roi(
        self,
        ys: slice,
        xs: slice,
        rows: slice | None = None,
        columns: slice | None = None,
    ) -> NDArray[np.complex64]:
        """Read a box of the spectrum.

        Parameters
        ----------
        ys : slice
            Rows of the scan.
        xs : slice
            Columns of the scan.
        rows : slice, optional
            Of the detector; default all.
        columns : slice, optional
            Of the detector; default all.

        Returns
        -------
        ndarray, shape (n_y, n_x, n_rows, n_columns), complex64
        """
        return self[ys, xs, rows or slice(None), columns or slice(None)]

    @property
    def amplitude(self) -> FFTView:
        """Absolute values, float32."""
        return FFTView(self, np.abs)

    @property
    def phase(self) -> FFTView:
        """Angles, radians, float32."""
        return FFTView(self, np.angle)

    @property
    def real(self) -> FFTView:
        """Real parts, float32."""
        return FFTView(self, np.real)

    @property
    def imag(self) -> FFTView:
        """Imaginary parts, float32."""
        return FFTView(self, np.imag)

    @property
    def log(self) -> FFTView:
        """log(1 + amplitude), float32."""
        return FFTView(self, _log)

    @property
    def shifted(self) -> FFTView:
        """The same with zero frequency in the middle of transformed axes."""
        return FFTView(self, np.asarray, is_shifted=True)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _completed(self, axes: Sequence[Indices]) -> NDArray[np.complex64]:
        n_stored = self._bulk.shape[3]
        is_there = axes[3] < n_stored
        if is_there.all():
            return self._read(axes)
        whole = np.empty([len(a) for a in axes], np.complex64)
        whole[..., is_there] = self._read([*axes[:3], axes[3][is_there]])
        turned = [
            # The spectrum of real data is symmetric: F(-k) is the conjugate of F(k), so
            # the half that is not stored is read at the negated frequencies.
            -a % n if axis in AXES[self.mode] else a
            for axis, (a, n) in enumerate(zip(axes, self.shape, strict=True))
        ]
        turned[3] = turned[3][~is_there]
        whole[..., ~is_there] = np.conj(self._read(turned))
        return whole

    def _read(self, axes: Sequence[Indices]) -> NDArray[np.complex64]:
        """Read the stored values at all combinations of indices."""
        bulk = self._bulk
        whole = np.empty([len(a) for a in axes], np.complex64)
        groups = [_by_chunk(a, c) for a, c in zip(axes, bulk.chunks, strict=True)]
        for parts in product(*groups):
            index = tuple(p[0] for p in parts)
            places = [p[1] for p in parts]
            within = [p[2] for p in parts]
            found = self._chunk(int(bulk.offsets[index]), within)
            whole[np.ix_(*places)] = found
        return whole

    def _chunk(self, offset: int, within: Sequence[Indices]) -> NDArray[Any]:
        bulk = self._bulk
        n_planes = len(within[0]) * len(within[1])
        # From a quarter of the planes on: one long read in place of many short ones.
        if 4 * n_planes > bulk.chunks[0] * bulk.chunks[1]:
            chunk = np.empty(bulk.chunks, bulk.dtype)
            self._file.read(offset, chunk)
            return np.asarray(chunk[np.ix_(*within)])
        # A plane of frequencies lies in one piece.
        plane = np.empty(bulk.chunks[2:], bulk.dtype)
        found = np.empty([len(w) for w in within], bulk.dtype)
        for i, y in enumerate(within[0].tolist()):
            for j, x in enumerate(within[1].tolist()):
                at = (y * bulk.chunks[1] + x) * plane.nbytes
                self._file.read(offset + at, plane)
                found[i, j] = plane[np.ix_(within[2], within[3])]
        return found


class FFTView:
    """A transform as it is looked at: amplitude, phase, shifted, ….

    Parameters
    ----------
    accessor : LazyFFTAccessor
    function : callable
        Complex values to what is shown.
    is_shifted : bool
    """

    ndim = 4

    def __init__(
        self, accessor: LazyFFTAccessor, function: Of, *, is_shifted: bool = False
    ) -> None:
        self._accessor, self._function = accessor, function
        self._is_shifted = is_shifted
        self.shape = accessor.shape
        is_complex = function is np.asarray
        self.dtype = np.dtype(np.complex64 if is_complex else np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        found = self._accessor.take(index, is_shifted=self._is_shifted)
        return np.asarray(self._function(found), self.dtype)

    @property
    def shifted(self) -> FFTView:
        """The same with zero frequency in the middle of transformed axes."""
        return FFTView(self._accessor, self._function, is_shifted=True)

    @property
    def amplitude(self) -> FFTView:
        """Absolute values."""
        return FFTView(self._accessor, np.abs, is_shifted=self._is_shifted)

    @property
    def phase(self) -> FFTView:
        """Angles, radians."""
        return FFTView(self._accessor, np.angle, is_shifted=self._is_shifted)

    @property
    def log(self) -> FFTView:
        """log(1 + amplitude)."""
        return FFTView(self._accessor, _log, is_shifted=self._is_shifted)


def _log(values: NDArray[np.complex64]) -> NDArray[Any]:
    return np.log1p(np.abs(values))


def _parts(index: Any) -> list[Any]:
    parts = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (5 - len(parts))
    parts += [slice(None)] * (4 - len(parts))
    is_usable = all(isinstance(p, int | np.integer | slice) for p in parts)
    if len(parts) != 4 or not is_usable:
        msg = f"expected whole numbers or slices on at most four axes; found {index!r}"
        raise IndexError(msg)
    return parts


def _by_chunk(indices: Indices, chunk: int) -> list[tuple[int, Indices, Indices]]:
    """Group indices by chunk: its number, places in the result, places in it."""
    numbers = indices // chunk
    return [
        (int(n), np.flatnonzero(numbers == n), indices[numbers == n] - n * chunk)
        for n in np.unique(numbers)
    ]
