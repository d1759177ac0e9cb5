"""One array that napari shows, filled while it is shown."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from time import monotonic
from typing import Any

from numpy.typing import NDArray

from brickfield.errors import BudgetError
from brickfield.loading.manager import ChunkManager
from brickfield.model.requests import LoadedChunk
from brickfield.plugin.slicing.memory import available_bytes
from brickfield.store.lazy_level import LazyLevel
from brickfield.store.mosaic import Mosaic, Name

AT_ONCE_S = 0.015
"""Time for what is at hand, and again for coarser data, before napari goes on."""


class Ask:
    """One array that napari shows, filled as its chunks arrive.

    Attributes
    ----------
    view : LazyLevel
        What napari asked for.
    array : ndarray
        What napari got; written to until it is complete.
    lacking : dict
        Names of chunks on their way, most wanted first.
    failed : set
        Names of those that could not be read.
    ahead : list
        Names of chunks that are likely wanted next.
    """

    def __init__(self, view: LazyLevel, manager: ChunkManager) -> None:
        self.view = view
        self.mosaic: Mosaic = view.mosaic()
        self.array: NDArray[Any] = view.as_shown(self.mosaic.out)
        self.is_coarsest = view.level == view.pyramid.n_levels - 1
        self.failed: set[Name] = set()
        self.ahead: list[Name] = []
        self._steps: Iterator[None] = iter(())
        end = monotonic() + AT_ONCE_S
        lacking = self._paint_known(manager, end)
        self.lacking: dict[Name, None] = dict.fromkeys(lacking)
        self.stand_in(manager, end + AT_ONCE_S)

    def _paint_known(self, manager: ChunkManager, end: float) -> list[Name]:
        """Paint what is at hand, as far as the time goes; return the rest."""
        lacking = []
        names = iter(list(self.mosaic.names))
        for name in names:
            chunk = manager.peek(*name)
            if chunk is None or not self.mosaic.paint(chunk):
                lacking.append(name)
            elif monotonic() > end:
                # The manager hands out the others in turn.
                break
        return self.mosaic.centre_first([*lacking, *names])

    def stand_in(self, manager: ChunkManager, end: float) -> None:
        """Draw coarser data where chunks lack, beginning anew, as far as time goes."""
        self._steps = self.mosaic.coarser_steps(manager.peek)
        self.go_on(end)

    def go_on(self, end: float) -> bool:
        """Go on with drawing coarser data; tell whether something was drawn."""
        is_new = False
        for _ in self._steps:
            is_new = True
            if monotonic() > end:
                return True
        self._steps = iter(())
        return is_new

    @property
    def has_steps(self) -> bool:
        """Whether coarser data are still to be drawn."""
        return isinstance(self._steps, Generator)

    def take(self, chunk: LoadedChunk) -> bool:
        """Paint a chunk; tell whether it was wanted here."""
        name = (chunk.selection, chunk.key)
        if name not in self.lacking:
            return False
        del self.lacking[name]
        if not self.mosaic.paint(chunk):
            self.failed.add(name)
        return True

    def give_up(self) -> None:
        """Wait for nothing more."""
        self.failed.update(self.lacking)
        self.lacking.clear()

    def retry(self) -> None:
        """Wait again for what failed."""
        self.lacking.update(dict.fromkeys(self.failed))
        self.failed.clear()


def refuse_what_cannot_fit(view: LazyLevel) -> None:
    """Refuse an array that would take most of the memory there is."""
    free = available_bytes()
    if view.nbytes > 0.6 * free:
        msg = (
            f"expected a slice or level of less than {0.6 * free / 1e9:.1f} GB, since"
            f" napari holds it whole in memory; found {view.nbytes / 1e9:.1f} GB: choose"
            " a coarser level, or look at it in the volume view"
        )
        raise BudgetError(msg)
