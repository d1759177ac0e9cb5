"""An open scan as a dock works with it; no widget, no layer.

Invariant: nothing here reads or computes on the window's thread. Pictures come by
:attr:`ScanSession.pictured`, each under its role; a newer one replaces the older.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.errors import ChunkReadError
from brickfield.qt.background import Background
from brickfield.qt.reports.tasks import RunningTask, TaskBoard, task_board
from brickfield.qt.stem.slots import Show, Slot, SlotRequest, Told
from brickfield.stem4d import (
    BinnedScan,
    Detector,
    LazyDataManager,
    ScanFollower,
    ScanViewer,
)

SCAN, PATTERN, VIRTUAL, FFT, COM = "scan", "pattern", "virtual", "fft", "com"
"""Roles of pictures; layers are named after them."""
PREVIEW_STRIDE = 64
"""Distance, blocks, of those that go first, for a coarse result early."""
PATTERN_SOURCES = ("at cursor", "of region", "mean", "sum", "max", "min", "variance")
REAL_SPACE = {
    "scan sum": "scan",
    "centre of mass, rows": "com",
    "centre of mass, columns": "com",
}
REST_S = 0.2
"""Time that a hand rests before a quick image is made exact."""
CLOSING_S = 30.0
"""Time that work has for its last block before files are closed."""

Region = tuple[int, int, int, int]


class ScanSession:
    """A scan, its cursor, its detector and what is computed of them.

    Parameters
    ----------
    board : TaskBoard, optional
        Where work is shown.

    Attributes
    ----------
    opened : psygnal.SignalInstance
        A scan was opened; tells the session's `viewer`.
    failed : psygnal.SignalInstance
        A sentence on what went wrong.
    pictured : psygnal.SignalInstance
        Role, image, and whether it is complete.
    cursor_moved : psygnal.SignalInstance
        Scan row and column.
    viewer : ScanViewer or None
    asked : dict
        What the user said of its file, as for
        :class:`~brickfield.stem4d.viewers.ScanViewer`.
    kept_in : Path or None
        The file that results go to; None where there is none.
    prepare : callable or None
        Called on the thread that opens a scan: loads what its first picture needs.
    quick : BinnedScan or None
        Answers a drag at once.
    cursor : tuple of int
    detector : Detector or None
    region : tuple of int or None
        Scan rows and columns, ends one past the last.
    """

    opened = Signal(object)
    failed = Signal(str)
    pictured = Signal(str, object, bool)
    cursor_moved = Signal(int, int)

    def __init__(self, board: TaskBoard | None = None) -> None:
        self.background = Background()
        self._board = board or task_board()
        self._slots: dict[str, Slot] = {}
        self.viewer: ScanViewer | None = None
        self.asked: dict[str, Any] = {}
        self.kept_in: Path | None = None
        self.quick: BinnedScan | None = None
        self._n_detectors = 0
        self.cursor = (0, 0)
        self.detector: Detector | None = None
        self.region: Region | None = None
        self.pattern_source = PATTERN_SOURCES[0]
        self.is_log = False
        self.is_closed = False
        self.last_pattern: NDArray[Any] | None = None
        self.prepare: Callable[[], object] | None = None

    @property
    def name(self) -> str:
        """What layers are named after."""
        return "" if self.viewer is None else self.viewer.path.stem

    @property
    def is_following(self) -> bool:
        """Whether the open scan is looked at while it is written."""
        return self.viewer is not None and self.viewer.opening.is_growing

    @property
    def is_busy(self) -> bool:
        """Whether anything is computed."""
        return any(slot.is_busy for slot in self._slots.values())

    def slot(self, name: str) -> Slot:
        """Return a kind of work."""
        if name not in self._slots:
            self._slots[name] = Slot(self._board, self.background, self._fail)
        return self._slots[name]

    def _fail(self, text: str) -> None:
        self.failed.emit(text)

    # -- opening -----------------------------------------------------------------

    def open(self, path: str | Path, **options: Any) -> None:
        """Open a scan; the former one stays until this one is open.

        Parameters
        ----------
        path : str or Path
        **options
            As for :class:`~brickfield.stem4d.viewers.ScanViewer`.
        """
        prepare = self.prepare

        def job(_task: RunningTask, _show: Show) -> tuple[ScanViewer, Path | None]:
            viewer = LazyDataManager.create_viewer(path, **options)
            if prepare is not None:
                prepare()
            return viewer, viewer.cache.target

        def take(found: tuple[ScanViewer, Path | None]) -> None:
            viewer, self.kept_in = found
            self._take(viewer, options)

        self.slot("open").submit(SlotRequest(f"Opening {Path(path).name}", job, take))

    def reopen(self, **changes: Any) -> None:
        """Open the same file anew, with other options; None takes one back.

        Parameters
        ----------
        **changes
            As for :class:`~brickfield.stem4d.viewers.ScanViewer`.
        """
        if self.viewer is None:
            return
        asked = {**self.asked, **changes}
        given = {n: v for n, v in asked.items() if v is not None}
        self.open(self.viewer.path, **given)

    def _take(self, viewer: ScanViewer, options: Mapping[str, Any]) -> None:
        self._give_back()
        self.viewer, self.asked = viewer, dict(options)
        self.quick, self._n_detectors = None, 0
        ny, nx = viewer.shape[:2]
        self.cursor, self.region, self.detector = (ny // 2, nx // 2), None, None
        self.pattern_source, self.last_pattern = PATTERN_SOURCES[0], None
        self.opened.emit(viewer)
        if self.is_following:
            self._follow_file(viewer)
        else:
            self.show_real_space()
        self.show_pattern()

    def _follow_file(self, viewer: ScanViewer) -> None:
        """Show a scan as it is written; when all of it is there, open it as others."""

        def job(task: RunningTask, show: Show) -> tuple[bool, Any]:
            how = viewer.opening
            only, laid = how.this_file_only, how.corrections
            with ScanFollower(
                viewer.path, how.scan, this_file_only=only, corrections=laid
            ) as scan:
                each = viewer.opened.data.stored_frame_bytes
                n = scan.opened.shape_found.grid.n_needed

                def told(scan: ScanFollower) -> None:
                    viewer.refresh()
                    task.tell(scan.n_read * each, n * each, 0, None)
                    show(scan.image.copy())

                return scan.run(told, task.cancelled), scan.image.copy()

        def shown(image: Any) -> None:
            if viewer is self.viewer:
                self.pictured.emit(SCAN, image, False)
                if self.pattern_source == "at cursor":
                    self.show_pattern()

        def done(found: tuple[bool, Any]) -> None:
            is_complete, image = found
            shown(image)
            if is_complete and viewer is self.viewer:
                self.reopen(is_growing=None)

        title = f"Following {viewer.path.name}"
        self.slot("follow").submit(SlotRequest(title, job, done, shown))

    def leave_file(self) -> None:
        """Stop following the file, and open the whole lines that there are."""
        self.slot("follow").cancel()
        if self.viewer is None or not self.is_following:
            return
        lines, positions = self.viewer.n_written_lines, self.viewer.shape[1]
        scan = (lines, positions) if lines else None
        self.reopen(is_growing=None, scan=scan)

    def _give_back(self) -> None:
        """Close the open scan as soon as nothing reads of it any more."""
        old, self.viewer = self.viewer, None
        jobs = [s.future for s in self._slots.values() if s.future is not None]
        for name, slot in self._slots.items():
            if name != "open":
                slot.cancel()
        if old is not None:
            closing = threading.Thread(
                target=_close_after, args=(old, jobs), name="brickfield-stem-close"
            )
            closing.daemon = True
            closing.start()

    def close(self) -> None:
        """End all work and give files back; may be called twice."""
        if self.is_closed:
            return
        self.is_closed = True
        for slot in self._slots.values():
            slot.cancel()
        self.background.close()
        self._give_back()

    # -- pictures ----------------------------------------------------------------

    def show_real_space(self, choice: str = "scan sum") -> None:
        """Show an overview of the scan, kept or computed.

        Parameters
        ----------
        choice : str
            One of :data:`REAL_SPACE`.
        """
        viewer, kind = self.viewer, REAL_SPACE[choice]
        if viewer is None:
            return
        part = 1 if choice.endswith("columns") else 0

        def image(found: Any) -> Any:
            return found if kind == "scan" else found[part]

        def job(task: RunningTask, show: Show) -> Any:
            def preview(found: dict[str, Any]) -> None:
                if kind == "scan" and kind in found:
                    show(filled(found[kind]))

            how = _how(task, preview)
            if kind == "scan":
                self._begin_quick(viewer, how)
            return image(viewer.overview(kind, **how))

        self._picture(SCAN, f"Overview of {self.name}", job, has_preview=kind == "scan")

    def _begin_quick(self, viewer: ScanViewer, how: dict[str, Any]) -> None:
        """Have what answers drags, if it costs no pass of its own; on a thread."""
        is_kept = viewer.cache.find("scan_overview") is not None
        quick = viewer.binned(is_kept=is_kept, **how)
        if viewer is self.viewer:
            self.quick = quick

    def _make_quick(self) -> None:
        """Make what answers drags, once somebody drags."""
        viewer = self.viewer
        if viewer is None or self._n_detectors != 2 or self.slot("quick").is_busy:
            return

        def job(task: RunningTask, _show: Show) -> Any:
            return viewer.binned(**_telling(task))

        def done(quick: Any) -> None:
            if viewer is self.viewer:
                self.quick = quick

        title = f"Preparing drags over {self.name}"
        self.slot("quick").submit(SlotRequest(title, job, done))

    def set_cursor(self, y: float, x: float) -> None:
        """Move the cursor to a position of the scan; it stays within the scan.

        Parameters
        ----------
        y : float
            Row of the scan.
        x : float
            Column of the scan.
        """
        if self.viewer is None:
            return
        ny, nx = self.viewer.shape[:2]
        at = (min(max(round(y), 0), ny - 1), min(max(round(x), 0), nx - 1))
        if at == self.cursor:
            return
        self.cursor = at
        self.cursor_moved.emit(*at)
        if self.pattern_source == "at cursor":
            self.show_pattern()

    def set_region(self, region: Region | None) -> None:
        """Choose positions whose mean pattern is wanted, within the scan's ends."""
        if self.viewer is None or region == self.region:
            return
        self.region = region
        self.pattern_source = "of region" if region else "at cursor"
        self.show_pattern()

    def show_pattern(self) -> None:
        """Show the pattern that is chosen."""
        viewer, source, at = self.viewer, self.pattern_source, self.cursor
        region = self.region
        if viewer is None or (source == "of region" and region is None):
            return

        def job(task: RunningTask, _show: Show) -> Any:
            if source == "at cursor":
                return viewer.frame(*at)
            if source == "of region":
                how: dict[str, Any] = {"progress": task.tell, "cancel": task.cancelled}
                return viewer.pattern(region, **how)
            return viewer.overview(source, **_telling(task))

        def done(pattern: Any) -> None:
            if viewer is self.viewer:
                self.last_pattern = pattern
                self._show_last()

        self.slot(PATTERN).submit(SlotRequest(f"Pattern of {self.name}", job, done))

    def set_log(self, is_log: bool) -> None:
        """Show patterns as the logarithm of 1 + their values, or as they are."""
        self.is_log = is_log
        self._show_last()

    def _show_last(self) -> None:
        pattern = self.last_pattern
        if pattern is not None:
            shown = logarithm(pattern) if self.is_log else pattern
            self.pictured.emit(PATTERN, shown, True)

    def set_detector(self, detector: Detector) -> None:
        """Compute the image of a virtual detector: a preview first, then all of it."""
        viewer = self.viewer
        if viewer is None or detector == self.detector:
            return
        self.detector, quick = detector, self.quick
        self._n_detectors += 1
        if quick is None:
            self._make_quick()

        def job(task: RunningTask, show: Show) -> Any:
            if quick is None:
                how = _how(task, lambda image: show(filled(image)))
                del how["on_wait"]  # never kept, so never of another process
                return viewer.virtual(detector, **how)
            show(quick.virtual(detector))
            if task.cancelled.wait(REST_S):
                msg = "expected the detector to stay as it was; found a newer one"
                raise ChunkReadError(msg, is_transient=True)
            return viewer.virtual(detector, progress=task.tell, cancel=task.cancelled)

        self._picture(VIRTUAL, f"Virtual image of {self.name}", job, has_preview=True)

    def show_com(self, kind: str, part: int | None, **turning: Any) -> None:
        """Show centres of mass, or what follows from them.

        Parameters
        ----------
        kind : str
            As for :meth:`ScanViewer.centre_of_mass`.
        part : int or None
            Which of two images.
        **turning
            ``descan``, ``rotation``, ``is_flipped``, and ``detector``.
        """
        viewer = self.viewer
        if viewer is None:
            return

        def job(task: RunningTask, _show: Show) -> Any:
            found = viewer.centre_of_mass(kind=kind, **turning, **_telling(task))
            return found if part is None else found[part]

        title = f"Centre of mass of {self.name}"
        self._picture(COM, title, job, has_preview=False)

    def _picture(
        self,
        role: str,
        title: str,
        job: Callable[[RunningTask, Show], Any],
        *,
        has_preview: bool,
    ) -> None:
        viewer = self.viewer

        def tell(image: Any, is_whole: bool) -> None:
            if viewer is self.viewer:
                self.pictured.emit(role, image, is_whole)

        request = SlotRequest(
            title,
            job,
            lambda image: tell(image, True),
            (lambda image: tell(image, False)) if has_preview else None,
        )
        self.slot(role).submit(request)


def _telling(task: RunningTask) -> dict[str, Any]:
    told = Told(task)
    return {
        "progress": told.progress,
        "cancel": task.cancelled,
        "on_wait": told.on_wait,
    }


def _how(task: RunningTask, preview: Show) -> dict[str, Any]:
    return {**_telling(task), "stride": PREVIEW_STRIDE, "preview": preview}


def _close_after(viewer: ScanViewer, jobs: list[Any]) -> None:
    wait(jobs, timeout=CLOSING_S)
    viewer.close()


def filled(image: NDArray[Any]) -> NDArray[Any]:
    """Fill lines of a preview that nothing is known of from those next to them.

    Parameters
    ----------
    image : ndarray, shape (scan y, scan x)
        0 where nothing was read yet.

    Returns
    -------
    ndarray, shape (scan y, scan x)
        A copy.
    """
    known = np.flatnonzero(image.any(axis=1))
    if not len(known):
        return image.copy()
    rows = np.arange(len(image))
    nearest = known[np.abs(rows[:, None] - known[None, :]).argmin(axis=1)]
    return np.asarray(image[nearest])


def logarithm(pattern: NDArray[Any]) -> NDArray[np.float32]:
    """Return log(1 + pattern), same shape; values below 0 count as 0."""
    return np.asarray(np.log1p(np.maximum(pattern, 0), dtype=np.float32))
