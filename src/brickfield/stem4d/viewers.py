"""Scans as they are looked at: frames, overviews, virtual detectors, patterns.

Nothing is read before it is asked for, and no more of it is held than the budget
allows. All methods may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.sources.scans import (
    AxisCalibration,
    LazyScan,
    Scan,
    ScanOptions,
    ScanShape,
    Shape4,
)
from brickfield.stem4d import com
from brickfield.stem4d.cache.items import OVERVIEWS as ITEM_OF
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.corrections import CorrectionOptions
from brickfield.stem4d.detectors import Detector
from brickfield.stem4d.open import EMD, MIB, OpenOptions, check_supported, open_scan
from brickfield.stem4d.overviews import ITEMS, BinnedScan, OverviewOptions
from brickfield.stem4d.passes import DEFAULT_BUDGET, PassOptions
from brickfield.stem4d.reductions import (
    PATTERN_KINDS,
    pattern_of,
    virtual_image,
)
from brickfield.stem4d.summing.pieces import Region

_KIND_OF = {item: kind for kind, item in ITEM_OF.items() if kind != "binned"}
CORRECTIONS = ("dead", "dark", "gain", "cross")
OVERVIEW_KINDS = tuple(name for name in ITEMS if name != "binned")


class ScanViewer:
    """A scan that is open.

    Parameters
    ----------
    path : str or Path
    scan : tuple of int, optional
        Lines, and positions along a line; found out if not given.
    skip_frames, line_skip : int, optional
        Frames in front, and after each line, that belong to no position.
    budget : str or int
        Memory for passes over all patterns.
    workers : int, optional
        Threads of them.
    cache : {"auto", "file", "sidecar", "none"}
        Where results are kept; see
        :class:`~brickfield.stem4d.cache.manager.EMDCacheManager`.
    **further
        Corrections (`dead`, `dark`, `gain`, `cross`; none by default) as for
        :class:`~brickfield.stem4d.corrections.CorrectionOptions`, and fields of
        :class:`~brickfield.stem4d.open.OpenOptions`.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError

    Attributes
    ----------
    opening : OpenOptions
        How it was opened.
    opened : Scan
        The open file.
    data : LazyScan
        ``data[y, x]`` is a pattern.
    cache : EMDCacheManager
        What is kept with the file.
    """

    def __init__(  # noqa: PLR0913 -- what a user says of a scan
        self,
        path: str | Path,
        *,
        scan: Sequence[int] | None = None,
        skip_frames: int | None = None,
        line_skip: int | None = None,
        budget: str | int = DEFAULT_BUDGET,
        workers: int | None = None,
        cache: str = "auto",
        **further: Any,
    ) -> None:
        shape = None if scan is None else _scan_shape(scan)
        asked = {n: further.pop(n) for n in CORRECTIONS if n in further}
        if asked:
            further["corrections"] = CorrectionOptions(**asked)
        options = OpenOptions(ScanOptions(shape, skip_frames, line_skip), **further)
        self.opening = options
        self.opened: Scan = open_scan(path, options)
        self.data = LazyScan(self.opened.data)
        self.options = PassOptions(budget, workers)
        self._computed: dict[str, Any] = {}
        context = {"series": options.series}
        if options.is_growing:
            cache = "none"  # what is computed now is not of the whole scan
        self.cache = EMDCacheManager(self.opened, cache, context)

    @property
    def path(self) -> Path:
        """The file."""
        return self.opened.path

    @property
    def shape(self) -> Shape4:
        """(scan y, scan x, detector y, detector x)."""
        return self.opened.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of patterns, native byte order."""
        return self.opened.data.dtype

    @property
    def scan(self) -> ScanShape:
        """The shape of the scan, how it was found and how sure that is."""
        return self.opened.shape_found

    @property
    def calibration(self) -> tuple[AxisCalibration, ...]:
        """Name, size, unit and origin of the four axes."""
        return self.opened.calibration

    @property
    def info(self) -> dict[str, Any]:
        """Everything that is known, as plain values."""
        kept = [item.as_dict() for item in self.cache.items()]
        return {**self.opened.as_dict(), "cached": kept}

    def frame(self, y: int, x: int) -> NDArray[Any]:
        """Read the pattern at a position of the scan.

        Parameters
        ----------
        y : int
            Row of the scan.
        x : int
            Column of the scan.

        Returns
        -------
        ndarray, shape (detector y, detector x)

        Raises
        ------
        OptionError
            If the position is not within the scan.
        """
        ny, nx = self.shape[:2]
        if not (0 <= y < ny and 0 <= x < nx):
            msg = f"expected a position within the scan of {ny}x{nx}; found {y}, {x}"
            raise OptionError(msg)
        return self.data[y, x]

    def overview(self, kind: str = "scan", **options: Any) -> Any:
        """Return an overview of the whole scan, kept or computed.

        Parameters
        ----------
        kind : str
            ``"scan"`` or ``"sum_over_both"``: every pattern summed, shape (scan y,
            scan x); ``"mean"``, ``"sum"``, ``"max"``, ``"min"``, ``"variance"``: a
            pattern; ``"sum_over_x"``, ``"sum_over_y"``: patterns summed over one
            detector axis, shape (scan y, scan x, other axis); ``"com"``: centres of
            mass, shape (2, scan y, scan x); ``"profile"``: mean over rings of the
            mean pattern; ``"statistics"``, ``"histogram"``: of all pixels.
        **options
            Fields of :class:`~brickfield.stem4d.passes.PassOptions`, and `on_wait`,
            which is told who computes for this scan in another process.

        Returns
        -------
        ndarray, dict or Histogram
            As :meth:`~brickfield.stem4d.overviews.OverviewComputer.compute` says.

        Raises
        ------
        OptionError, ChunkReadError
        """
        if kind not in OVERVIEW_KINDS:
            known = ", ".join(OVERVIEW_KINDS)
            msg = f"expected an overview of the kind {known}; found {kind!r}"
            raise OptionError(msg)
        on_wait = options.pop("on_wait", None)
        how = replace(self.options, **options)
        if kind not in self._computed or self.opening.is_growing:
            wanted = OverviewOptions((kind,))
            self._computed[kind] = self.cache.overviews(wanted, how, on_wait)[kind]
        return self._computed[kind]

    @staticmethod
    def can_recompute(item: str) -> bool:
        """Whether :meth:`recompute` knows an item that is kept."""
        return item in _KIND_OF

    def recompute(self, item: str, **options: Any) -> Any:
        """Compute a kept overview anew, and keep it in the place of the old one.

        Parameters
        ----------
        item : str
            Name of what is kept, such as ``"pattern_mean"``.
        **options
            As for :meth:`overview`.

        Raises
        ------
        OptionError, ChunkReadError
        """
        kind = _KIND_OF[item]
        self.cache.drop(item)
        self._computed.pop(kind, None)
        return self.overview(kind, **options)

    @property
    def can_grow(self) -> bool:
        """Whether the file can be followed while it is written."""
        return self.opening.raw is None and self.path.suffix.lower() in MIB

    @property
    def _frames(self) -> Any:
        """Frames of files, whatever is laid over them; None where there are none."""
        data = self.opened.data
        return getattr(getattr(data, "inner", data), "frames", None)

    @property
    def n_written_lines(self) -> int:
        """Whole lines of the scan that are written."""
        ny, grid = self.shape[0], self.scan.grid
        frames = self._frames
        n = getattr(frames, "n_written", grid.n_needed) + grid.line_skip - grid.first
        return int(min(ny, max(n, 0) // (grid.nx + grid.line_skip)))

    def refresh(self) -> None:
        """Look for patterns that were written since, of an acquisition that goes on.

        Raises
        ------
        StoreFormatError, StoreNotFoundError, StoreAccessError
        """
        frames = self._frames
        if self.opening.is_growing and frames is not None:
            frames.refresh()

    def binned(self, *, is_kept: bool = False, **options: Any) -> BinnedScan | None:
        """Return a copy of the scan that any detector's image is quickly made of.

        The overview of the scan comes from the same pass.

        Parameters
        ----------
        is_kept : bool
            Return it only if it is kept with the file.
        **options
            As for :meth:`overview`.

        Returns
        -------
        BinnedScan or None
            None where it would be too large, or is not kept.
        """
        n = BinnedScan.n_for(self.shape)
        if n is None:
            return None
        if is_kept:
            values = self.cache.get(ITEM_OF["binned"], n_binned=n)
        else:
            on_wait = options.pop("on_wait", None)
            wanted = OverviewOptions(("scan", "binned"), n_binned=n)
            how = replace(self.options, **options)
            found = self.cache.overviews(wanted, how, on_wait)
            self._computed["scan"], values = found["scan"], found["binned"]
        return None if values is None else BinnedScan(values, n, self.shape[2:])

    def virtual(self, detector: Detector, **options: Any) -> NDArray[Any]:
        """Sum every pattern over a detector.

        Parameters
        ----------
        detector : Detector
        **options
            Fields of :class:`~brickfield.stem4d.passes.PassOptions`.

        Returns
        -------
        ndarray, shape (scan y, scan x)
        """
        return virtual_image(
            self.opened.data, detector, replace(self.options, **options)
        )

    def centre_of_mass(
        self,
        detector: Detector | None = None,
        kind: str = "com",
        *,
        descan: bool = False,
        rotation: float | str | None = None,
        is_flipped: bool | None = None,
        **options: Any,
    ) -> NDArray[Any]:
        """Find centres of mass, or what follows from them.

        Parameters
        ----------
        detector : Detector, optional
            Pixels that count; all, and kept with the file, if not given.
        kind : {"com", "dpc", "icom", "divergence", "curl"}
        descan, rotation, is_flipped
            As for :func:`~brickfield.stem4d.com.prepared`.
        **options
            As for :meth:`overview`.

        Returns
        -------
        ndarray, shape (scan y, scan x), or (2, scan y, scan x) for "com" and "dpc"
        """
        if detector is None:
            field = self.overview("com", **options)
        else:
            options.pop("on_wait", None)
            how = replace(self.options, **options)
            field = com.centre_of_mass(self.opened.data, detector, how)
        turned = com.prepared(
            field, descan=descan, rotation=rotation, is_flipped=is_flipped
        )
        return com.result_of(turned, kind)

    def pattern(
        self, roi: Any = None, kind: str = "mean", **options: Any
    ) -> NDArray[Any]:
        """Reduce the patterns of a region of the scan to one.

        Parameters
        ----------
        roi : tuple of (int, int, int, int) or of two slices, optional
            First row, row after the last, first column, column after the last;
            the whole scan, and kept with the file, if not given.
        kind : {"mean", "sum", "max", "min", "variance"}
        **options
            Fields of :class:`~brickfield.stem4d.passes.PassOptions`.

        Returns
        -------
        ndarray, shape (detector y, detector x)

        Raises
        ------
        OptionError
            If the region is empty or leaves the scan.
        """
        if roi is None and kind in PATTERN_KINDS:
            return np.asarray(self.overview(kind, **options))
        region = None if roi is None else scan_region(roi, self.shape)
        how = replace(self.options, **options)
        return pattern_of(self.opened.data, region, kind, how)

    def close(self) -> None:
        """Give files back."""
        self.opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _scan_shape(scan: Sequence[int]) -> tuple[int, int]:
    if len(scan) != 2 or min(scan) < 1:
        msg = f"expected a scan of lines and positions, 1 or more each; found {scan}"
        raise OptionError(msg)
    return (int(scan[0]), int(scan[1]))


def scan_region(roi: Any, shape: Sequence[int]) -> Region:
    """Check a region of a scan.

    Parameters
    ----------
    roi : tuple of (int, int, int, int) or of two slices
        Open ends of slices are those of the scan.
    shape : sequence of int
        Of the scan.

    Raises
    ------
    OptionError
    """
    parts = list(roi)
    if len(parts) == 4:
        parts = [slice(parts[0], parts[1]), slice(parts[2], parts[3])]
    found = []
    for part, n in zip(parts, shape[:2], strict=False):
        start = 0 if part.start is None else int(part.start)
        stop = n if part.stop is None else int(part.stop)
        if not 0 <= start < stop <= n:
            msg = (
                f"expected a region of one position or more within the scan of"
                f" {shape[0]}x{shape[1]}; found {start}:{stop}"
            )
            raise OptionError(msg)
        found.append(slice(start, stop))
    return (found[0], found[1])


class MIBLazyViewer(ScanViewer):
    """A scan of a Merlin detector, read only; see :class:`ScanViewer`."""


class EMDEnhancedViewer(ScanViewer):
    """A scan in an EMD or other HDF5 file; see :class:`ScanViewer`."""


class LazyDataManager:
    """Opens a scan with the viewer that fits its file."""

    @staticmethod
    def create_viewer(path: str | Path, **options: Any) -> ScanViewer:
        """Open a scan.

        Parameters
        ----------
        path : str or Path
        **options
            As for :class:`ScanViewer`.

        Returns
        -------
        MIBLazyViewer, EMDEnhancedViewer or ScanViewer

        Raises
        ------
        ValueError
            "Unsupported file format", with what is supported.
        StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError
        """
        raw = options.get("raw")
        suffix = Path(path).suffix.lower()
        check_supported(Path(path), OpenOptions(raw=raw))
        kinds = {MIB: MIBLazyViewer, EMD: EMDEnhancedViewer}
        found = next((k for ends, k in kinds.items() if suffix in ends), ScanViewer)
        return (ScanViewer if raw else found)(path, **options)
