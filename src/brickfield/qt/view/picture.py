"""The widget that shows a live view's pictures and takes mouse and keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from brickfield.qt.view.gestures import gestures_for
from brickfield.qt.view.stand_in import stand_in, thumbnail_of
from brickfield.viewer.live import LiveView, ViewReport
from brickfield.viewer.receipts import status

# Themes give labels a frame, which would take pixels away from the picture.
_SHEET = """
background: black; color: #d0d0d0;
border: none; border-radius: 0; padding: 0; margin: 0;
"""


NO_LAYERS = "No image layers yet. Drop a file or folder here."
NO_PICTURE = "Nothing can be drawn; the reason stands below."
LOOK_MS = 200
"""Time between two looks for a better stand-in."""


class PictureWidget(QLabel):
    """Shows pictures of a view as they come.

    Invariant: a picture of the widget's own size is shown pixel for pixel. One of
    another size, drawn before the widget was resized or with fewer pixels, is scaled
    until the next, both ways alike: a ball is round at every moment.

    Parameters
    ----------
    view : LiveView
        Told of the widget's size and whether it can be seen; not closed with it.
    """

    def __init__(self, view: LiveView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)
        self.setMinimumSize(48, 48)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setStyleSheet(_SHEET)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setMargin(0)
        self.setText(NO_LAYERS)
        # A script may take a picture before the window has laid itself out.
        view.resize((self.sizeHint().width(), self.sizeHint().height()))
        self.gestures = gestures_for(view, self)
        self._watch = _Watch(self, self._seen)
        self.installEventFilter(self._watch)
        self.installEventFilter(self.gestures)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show_stand_in)
        self.n_pictures = 0
        """Pictures shown so far."""
        view.reported.connect(self._show_report)
        if view.layers:
            self._show_stand_in()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size that leaves room for the 2D canvas beside it."""
        return QSize(460, 420)

    def _seen(self) -> None:
        """Tell the view its size and whether it is visible."""
        if self.view.is_closed:
            return
        self.view.resize((self.width(), self.height()), self.devicePixelRatioF())
        # A stand-in is made anew by its own timer; words lay themselves out.
        if self._shown is not None and not self.view.report.error:
            self._show_picture(self._shown)
        self.view.is_shown = self.isVisible()

    def _show_report(self, report: ViewReport) -> None:
        self.setMargin(12 if report.error else 0)
        if report.error:
            # The sentence itself stands once, below all pictures, where it can be copied.
            self._shown = None
            self.setText(NO_PICTURE)
        elif not self.view.layers:
            self._shown = None
            self.setText(NO_LAYERS)
        elif report.image is None:
            self._show_stand_in()
        elif report.image is not self._shown:
            self._shown = report.image
            self.n_pictures += 1
            self._show_picture(report.image)

    def _show_stand_in(self) -> None:
        """Show what the owner of the layers has of them until the first picture."""
        view, report = self.view, self.view.report
        if view.is_closed or report.image is not None or report.error:
            return
        if not view.layers:
            self.setText(NO_LAYERS)
            return
        text = status(view.report_of_now)
        thumbnail = thumbnail_of(view.scene.layers)
        if thumbnail is not None:
            text += "\n(preview: the layer's thumbnail)"
        pixmap = stand_in(
            thumbnail, text, view.viewport, self.devicePixelRatioF(), self.font()
        )
        self.setScaledContents(False)
        self.setAccessibleDescription(text)
        self.setPixmap(pixmap)
        # Thumbnails come, and stages go, without a word from the view.
        self._soon.start(LOOK_MS)

    def _show_picture(self, image: NDArray[np.uint8]) -> None:
        height, width = image.shape[:2]
        wide, high = self.view.viewport
        is_alike = abs(width * high - height * wide) <= max(width, height, wide, high)
        pixmap = as_pixmap(image, self.devicePixelRatioF())
        if not is_alike:
            keep = Qt.AspectRatioMode.KeepAspectRatio
            pixmap = pixmap.scaled(wide, high, keep)
        self.setScaledContents(is_alike and (width, height) != (wide, high))
        self.setAccessibleDescription("")
        self.setPixmap(pixmap)

    _shown: NDArray[np.uint8] | None = None


class _Watch(QObject):
    """Calls back when a widget changes its size, its screen or its visibility."""

    _KINDS = frozenset(
        {
            QEvent.Type.Resize,
            QEvent.Type.Show,
            QEvent.Type.Hide,
            QEvent.Type.DevicePixelRatioChange,
        }
    )

    def __init__(self, widget: QWidget, call: Callable[[], None]) -> None:
        super().__init__(widget)
        self._call = call

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at an event and let it pass."""
        if event.type() in self._KINDS:
            self._call()
        return False


def as_pixmap(image: NDArray[np.uint8], pixel_ratio: float = 1.0) -> QPixmap:
    """Convert a picture to a pixmap.

    Parameters
    ----------
    image : ndarray, shape (h, w, 4), uint8
    pixel_ratio : float
        Physical pixels per logical one.
    """
    pixels = np.ascontiguousarray(image)
    height, width = pixels.shape[:2]
    shown = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
    # The pixmap is a copy: the array may go.
    pixmap = QPixmap.fromImage(shown)
    pixmap.setDevicePixelRatio(pixel_ratio)
    return pixmap
