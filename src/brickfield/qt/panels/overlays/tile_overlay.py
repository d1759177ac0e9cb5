"""Tiles over a picture: their boxes and names, and a knob that drags the chosen ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF
from qtpy.QtGui import QColor, QPainter, QPen

from brickfield.camera.drag_line import Pixel, clip_w, pixel_at
from brickfield.model import CameraState, Vec3
from brickfield.qt.panels.overlays.picture_overlay import REACH, SHADE, PictureOverlay
from brickfield.qt.theme import ACCENT
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.controls import BOX_EDGES, gone_in_picture

MOST_BOXES = 200
"""Boxes of tiles that are drawn, the chosen ones first."""
MOST_NAMES = 60
"""Beyond, names would cover the picture."""
KNOB = "knob"


@dataclass(frozen=True)
class ShownTiles:
    """What is drawn of tiles.

    Attributes
    ----------
    corners : mapping of str to ndarray, shape (8, 3)
        Of the tiles whose boxes are drawn (z, y, x), world.
    chosen : sequence of str
        Those that a knob drags.
    has_names : bool
    """

    corners: Mapping[str, NDArray[np.float64]]
    chosen: Sequence[str]
    has_names: bool

    @property
    def middle(self) -> NDArray[np.float64] | None:
        """Centre of the chosen tiles (z, y, x), world; None without any."""
        chosen = [self.corners[n] for n in self.chosen if n in self.corners]
        if not chosen:
            return None
        points = np.concatenate(chosen)
        middle: NDArray[np.float64] = (points.min(axis=0) + points.max(axis=0)) / 2
        return middle


class TileOverlay(PictureOverlay[str]):
    """Shows tiles over one picture and lets a hand shift the chosen ones.

    Parameters
    ----------
    frame : ViewFrame
    shown : callable
        Returns the :class:`ShownTiles` of now; None shows nothing.
    begin_move : callable
        Called when the knob is taken hold of.
    move : callable
        Takes the way from there, world (z, y, x).
    end_move : callable
        Called when the knob is left.

    Attributes
    ----------
    place : tuple of float or None
        Of the knob; physical pixels.
    """

    def __init__(
        self,
        frame: ViewFrame,
        shown: Callable[[], ShownTiles | None],
        begin_move: Callable[[], object],
        move: Callable[[Vec3], object],
        end_move: Callable[[], object],
    ) -> None:
        self._shown = shown
        self._begin_move = begin_move
        self._move = move
        self._end_move = end_move
        self.place: Pixel | None = None
        self._begun: tuple[CameraState, NDArray[np.float64]] | None = None
        super().__init__(frame)

    def clear(self) -> None:
        """Forget where the knob was."""
        self.place = None

    def paint(self, painter: QPainter, camera: CameraState) -> None:
        """Draw boxes and names, those of the chosen tiles brighter, and the knob.

        Parameters
        ----------
        painter : QPainter
        camera : CameraState
        """
        found = self._shown()
        if found is None:
            return
        chosen = set(found.chosen)
        # The chosen ones last, so that they lie above the others.
        names = sorted(found.corners, key=lambda name: name in chosen)
        for name in names:
            self._paint_box(painter, camera, found.corners[name], name in chosen)
        if found.has_names and len(names) <= MOST_NAMES:
            for name in names:
                self._paint_name(painter, camera, name, found.corners[name])
        middle = found.middle
        if middle is not None and clip_w(camera, middle) > 0:
            x, y = pixel_at(camera, middle).tolist()
            self.place = (x, y)
            self.knob(painter, KNOB, self.place)

    def _paint_box(
        self,
        painter: QPainter,
        camera: CameraState,
        corners: NDArray[np.float64],
        is_chosen: bool,
    ) -> None:
        if any(clip_w(camera, corner) <= 0 for corner in corners):
            return  # it reaches behind the eye
        at = [self.logical(_pair(pixel_at(camera, corner))) for corner in corners]
        color = QColor(ACCENT).lighter(135) if is_chosen else QColor(255, 255, 255, 110)
        for a, b in BOX_EDGES:
            if is_chosen:
                painter.setPen(QPen(SHADE, 3.2))
                painter.drawLine(at[a], at[b])
            painter.setPen(QPen(color, 1.6 if is_chosen else 1.0))
            painter.drawLine(at[a], at[b])

    def _paint_name(
        self,
        painter: QPainter,
        camera: CameraState,
        name: str,
        corners: NDArray[np.float64],
    ) -> None:
        middle = corners.mean(axis=0)
        if clip_w(camera, middle) <= 0:
            return
        at = self.logical(_pair(pixel_at(camera, middle)))
        width = painter.fontMetrics().horizontalAdvance(name)
        at = QPointF(at.x() - width / 2, at.y() - 14)
        painter.setPen(QPen(SHADE))
        painter.drawText(QPointF(at.x() + 1, at.y() + 1), name)
        painter.setPen(QPen(QColor("white")))
        painter.drawText(at, name)

    def part_at(self, px: Pixel) -> str | None:
        """Return the knob, if it lies under a physical pixel."""
        if self.place is None:
            return None
        x, y = self.place
        is_near = np.hypot(px[0] - x, px[1] - y) <= REACH * self.ratio
        return KNOB if is_near else None

    def begin(self, part: str, camera: CameraState) -> bool:
        """Start to drag the chosen tiles; tell whether that is possible.

        Parameters
        ----------
        part : str
        camera : CameraState
        """
        found = self._shown()
        middle = None if found is None else found.middle
        self._begun = None if middle is None else (camera, middle)
        if middle is not None:
            self._begin_move()
        return middle is not None

    def drag(self, part: str, move_px: Pixel) -> None:
        """Shift the chosen tiles in the plane of the picture.

        Parameters
        ----------
        part : str
        move_px : Pixel
            Columns and rows since :meth:`begin`, physical pixels.
        """
        if self._begun is not None:
            camera, middle = self._begun
            self._move(gone_in_picture(camera, middle, move_px))

    def end(self) -> None:
        """Leave the chosen tiles where they are."""
        self._end_move()

    def hint_of(self, part: str) -> str:
        """Return what dragging the knob does."""
        return "Drag: shifts the chosen tiles in the plane of the picture"


def _pair(px: NDArray[np.float64]) -> Pixel:
    x, y = px.tolist()
    return (x, y)
