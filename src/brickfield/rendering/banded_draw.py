"""A picture that is drawn a few rows at a time, so that something can come between.

Invariant: however the rows are cut, the picture is equal to the bit. So between two
pieces nothing may be planned, uploaded or drawn in the same view; a drawing that was
left in the middle is worth nothing, and the next one starts over.

Only the volumes take time: background and objects are there before the first piece,
overlays come after the last. Thread rule: render thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from brickfield.gpu import BrickVolume


class Drawing:
    """One frame on its way into a renderer's target.

    Parameters
    ----------
    volumes : iterator of BrickVolume
        Each is asked for when the one before has been drawn.
    draw : callable
        Draws the rows that a volume is set to.
    wait : callable
        Returns when everything that was sent to the device has been done.
    n_rows : int
        Height of the target, pixels.
    n_volumes : int

    Attributes
    ----------
    n_rows : int
    n_rows_of_all : int
        Of all volumes together.
    """

    def __init__(
        self,
        volumes: Iterator[BrickVolume],
        draw: Callable[[BrickVolume], None],
        wait: Callable[[], None],
        *,
        n_rows: int,
        n_volumes: int,
    ) -> None:
        self._volumes = volumes
        self._draw = draw
        self._wait = wait
        self.n_rows = n_rows
        self.n_rows_of_all = n_rows * n_volumes
        self._row = 0
        # The iterator copies the targets for the first volume here, so a drawing is
        # begun with the frame's own background.
        self._volume = next(volumes, None)

    @property
    def is_done(self) -> bool:
        """Whether only the overlays are missing."""
        return self._volume is None

    def draw_rows(self, n: int) -> None:
        """Draw the next `n` rows of the current volume, and wait until they are there."""
        self._draw_piece(n)
        # Otherwise pieces would queue up in the driver, and the time of one could not
        # be told.
        self._wait()

    def draw_rest(self) -> None:
        """Draw all that is missing; the device may still be at it afterwards."""
        while not self.is_done:
            self._draw_piece(self.n_rows)

    def _draw_piece(self, n: int) -> None:
        if self._volume is None:
            return
        # One row at least, or a slow device would never come to an end.
        end = min(self._row + max(n, 1), self.n_rows)
        self._volume.draw_rows(self._row, end)
        self._draw(self._volume)
        self._row = end
        if end == self.n_rows:
            self._row = 0
            self._volume = next(self._volumes, None)
