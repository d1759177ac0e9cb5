"""A store that its lazy levels keep open, until it is released.

Invariant: a hold always returns a store that can be read. A hold keeps its
store alive; once it was released, it only knows where the store is, as long as
something else has it, and opens another when there is none any more. So a store ends
with its last user even where the levels themselves live on, and levels that come
back into use work as before. What is known of the image stays known.

May be used from any thread.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

from brickfield.errors import StoreFormatError
from brickfield.model import ImageInfo, Pyramid
from brickfield.store.image_store import ChunkedImageStore


class StoreHold:
    """What the lazy levels of one image have in common.

    Parameters
    ----------
    store : ChunkedImageStore
    reopen : callable, optional
        Opens the same image again. Without it the store is never released.

    Attributes
    ----------
    name : str
        Of the image.
    address : str or None
        What it was opened by; see the store's.
    pyramid : Pyramid
        Of the image, as it was when it was opened or when it grew.
    """

    def __init__(
        self,
        store: ChunkedImageStore,
        reopen: Callable[[], ChunkedImageStore] | None = None,
    ) -> None:
        self.name = store.info.name
        self.address = store.address
        self.pyramid: Pyramid = store.pyramid
        store.grown.connect(self._take_grown)
        store.laid_out.connect(self._take_laid_out)
        self._reopen = reopen
        self._lock = threading.RLock()
        self._store: ChunkedImageStore | None = store
        self._known = weakref.ref(store)

    @property
    def store(self) -> ChunkedImageStore:
        """The store; kept from now on.

        Raises
        ------
        BrickfieldError
            If it has to be opened again and cannot be, or is another image now.
        """
        with self._lock:
            if self._store is None:
                self._store = self._known() or self._opened()
                self._known = weakref.ref(self._store)
            return self._store

    def _opened(self) -> ChunkedImageStore:
        assert self._reopen is not None
        store = self._reopen()
        if not _is_same_or_longer(store.pyramid, self.pyramid):
            uri = store.info.uri
            store.close(wait=False)
            msg = (
                f"expected {uri} as it was when its layer was opened; found other"
                " levels: open it again as a new layer"
            )
            raise StoreFormatError(msg)
        store.grown.connect(self._take_grown)
        store.laid_out.connect(self._take_laid_out)
        self.pyramid = store.pyramid
        return store

    def _take_grown(self, info: ImageInfo) -> None:
        self.pyramid = info.pyramid

    def _take_laid_out(self) -> None:
        if self._store is not None:
            self.pyramid = self._store.pyramid

    def release(self) -> None:
        """Give the store back; it ends when nothing else has it."""
        with self._lock:
            if self.can_reopen:
                self._store = None

    @property
    def can_reopen(self) -> bool:
        """Whether it can be released."""
        return self._reopen is not None

    @property
    def is_held(self) -> bool:
        """Whether the hold keeps a store alive."""
        return self._store is not None


def _is_same_or_longer(found: Pyramid, before: Pyramid) -> bool:
    """Tell whether an image is what it was, or has grown."""
    if _form(found) == _form(before):
        return True
    longer = found.levels[0].shape
    return len(longer) == len(before.axes) and (
        before.grown_to(longer, found) is not None
    )


def _form(pyramid: Pyramid) -> list[tuple[object, ...]]:
    axes = tuple(axis.name for axis in pyramid.axes)
    return [(axes, level.shape, level.dtype) for level in pyramid.levels]
