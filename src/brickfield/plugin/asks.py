"""One array that napari shows, filled while it is shown."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from brickfield.errors import BudgetError
from brickfield.loading.manager import ChunkManager
from brickfield.model.requests import ChunkState, LoadedChunk
from brickfield.plugin.memory import available_bytes
from brickfield.store.lazy_level import LazyLevel
from brickfield.store.mosaic import Mosaic, Name


class Ask:
    """One array that napari shows, filled as its chunks arrive.

    Attributes
    ----------
    array : ndarray
        What napari got; written to until it is complete.
    lacking : dict
        Names of chunks on their way, most wanted first.
    failed : set
        Names of those that could not be read.
    """

    def __init__(self, view: LazyLevel, manager: ChunkManager) -> None:
        self.mosaic: Mosaic = view.mosaic()
        self.array: NDArray[Any] = view.as_shown(self.mosaic.out)
        self.is_coarsest = view.level == view.store.pyramid.n_levels - 1
        lacking = self.mosaic.paint_known(manager.peek)
        self.lacking: dict[Name, None] = dict.fromkeys(lacking)
        self.failed: set[Name] = set()
        self.stand_in(manager)

    def stand_in(self, manager: ChunkManager) -> None:
        """Draw coarser data where chunks lack."""
        rest = [*self.lacking, *self.failed]
        if rest:
            self.mosaic.paint_coarser(manager.peek, rest)

    def take(self, chunk: LoadedChunk) -> bool:
        """Paint a chunk; tell whether it was wanted here."""
        name = (chunk.selection, chunk.key)
        if name not in self.lacking:
            return False
        del self.lacking[name]
        if chunk.state is ChunkState.FAILED:
            self.failed.add(name)
        else:
            self.mosaic.paint(chunk)
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
