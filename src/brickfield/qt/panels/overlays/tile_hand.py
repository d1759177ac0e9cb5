"""The pace at which a hand moves tiles: a step at a time, each of them seen.

Invariant: while tiles move, a step is taken only when every picture shows the one before
it, or after :data:`LONGEST_WAIT_MS`. Steps that came faster would throw away what was made
for the last one, and nothing would be seen until the hand rests. The last place is always
taken. Once the hand rests, tiles are shown as finely as ever. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import QObject, QTimer

from brickfield.model import Vec3
from brickfield.viewer.controls import MosaicTiles
from brickfield.viewer.live import LiveView

LONGEST_WAIT_MS = 250
REST_MS = 300
"""Without a step, after which the hand rests."""


class TileHand(QObject):
    """Moves tiles for a hand.

    Parameters
    ----------
    parent : QObject
    views : callable
        Returns the views that show the tiles.
    move : callable
        Takes the way from where the drag began, world (z, y, x), and moves the tiles.
    """

    def __init__(
        self,
        parent: QObject,
        views: Callable[[], Sequence[LiveView]],
        move: Callable[[Vec3], object],
    ) -> None:
        super().__init__(parent)
        self._views = views
        self._move = move
        self._tiles: MosaicTiles | None = None
        self._wanted: Vec3 | None = None
        self._waiting: dict[LiveView, tuple[float, object]] = {}
        """Until when each counts as moving, and its picture before the step."""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._give_up_waiting)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._on_rest)

    def take(self, tiles: MosaicTiles, names: Sequence[str]) -> None:
        """Begin to move tiles; they are shown coarser until the hand rests.

        Parameters
        ----------
        tiles : MosaicTiles
        names : sequence of str
        """
        if self._tiles is not None and self._tiles is not tiles:
            self.rest()
        self._tiles = tiles
        tiles.store.begin_move(*names)
        self._rest.start(REST_MS)

    def drag(self, by: Vec3) -> None:
        """Move the tiles that were taken, as soon as the last step was seen.

        Parameters
        ----------
        by : tuple of float
            From where the drag began, world (z, y, x).
        """
        self._wanted = by
        self._go_on()

    def _go_on(self) -> None:
        if self._wanted is None or self._waiting:
            return
        by, self._wanted = self._wanted, None
        self._move(by)
        self.wait()

    def wait(self) -> None:
        """Have the views draw quickly, and wait until they show what was moved."""
        self.release()
        for view in self._views():
            if view.is_shown:
                self._waiting[view] = (view.framing.keep_moving(), view.report.image)
                view.reported.connect(self._on_report)
        self._patience.start(LONGEST_WAIT_MS)
        self._rest.start(REST_MS)

    def _on_report(self, report: object) -> None:
        """Take note of what views have come to; of all, since a report names none."""
        for view, (until, before) in list(self._waiting.items()):
            found = view.report
            is_new = found.image is not before and found.state.moving_until >= until
            if is_new and (found.is_complete or not found.waiting):
                self._forget(view)
        if not self._waiting:
            self._go_on()

    def _forget(self, view: LiveView) -> None:
        del self._waiting[view]
        view.reported.disconnect(self._on_report, missing_ok=True)

    def release(self) -> None:
        """Stop waiting for views."""
        for view in list(self._waiting):
            self._forget(view)
        self._patience.stop()

    def _give_up_waiting(self) -> None:
        self.release()
        self._go_on()

    def _on_rest(self) -> None:
        # A hand that holds still drags on from there: only the picture gets finer.
        if self._waiting or self._wanted is not None:
            self._rest.start(REST_MS)
        else:
            self.rest()

    def rest(self) -> None:
        """Take the last step, and show the tiles as finely as ever again."""
        self.release()
        self._rest.stop()
        if self._wanted is not None:
            by, self._wanted = self._wanted, None
            self._move(by)
        tiles, self._tiles = self._tiles, None
        if tiles is not None and not tiles.is_closed:
            tiles.store.end_move()
