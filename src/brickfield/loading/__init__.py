"""Threads, queue, RAM cache and progress: from wanted chunks to loaded ones."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.loading.cache.change_log import ChangeLog as ChangeLog
    from brickfield.loading.cache.chunk_cache import (
        DEFAULT_RAM_BUDGET as DEFAULT_RAM_BUDGET,
    )
    from brickfield.loading.cache.chunk_cache import ChunkCache as ChunkCache
    from brickfield.loading.cache.chunk_cache import default_cache as default_cache
    from brickfield.loading.manager import ChunkManager as ChunkManager
    from brickfield.loading.pool import AsynchronousDataSlicer as AsynchronousDataSlicer
    from brickfield.loading.precedence import PRECEDENCE as PRECEDENCE
    from brickfield.loading.progress import (
        LoadingProgressTracker as LoadingProgressTracker,
    )
    from brickfield.loading.storage.boxes import read_box as read_box
    from brickfield.loading.storage_layout import Box as Box
    from brickfield.loading.storage_layout import LevelLayout as LevelLayout
    from brickfield.loading.storage_layout import check_selection as check_selection
    from brickfield.loading.storage_layout import storage_under as storage_under

__all__ = [
    "DEFAULT_RAM_BUDGET",  # Bytes of the process-wide cache unless it is told otherwise.
    "PRECEDENCE",  # Lets reading threads wait while a camera change goes first.
    "AsynchronousDataSlicer",  # Runs functions in background threads. May be used from any thread.
    "Box",  # Origin and shape, (z, y, x), voxels of the level.
    "ChangeLog",  # The latest changes of one image, numbered from 1. May be used from any thread.
    "ChunkCache",  # Least-recently-used cache of :class:`LoadedChunk` values.
    "ChunkManager",  # Loads the chunks of one source for any number of visuals.
    "LevelLayout",  # The two grids of one level.
    "LoadingProgressTracker",  # Reports the progress of loading to visuals and other listeners. Thread-safe.
    "check_selection",  # Refuse a selection that the image does not have.
    "default_cache",  # Return the one cache that all stores of this process share.
    "read_box",  # Read a box of one level and selection.
    "storage_under",  # List the storage chunks under each of many chunks.
]

_HOME = {
    "AsynchronousDataSlicer": "pool",
    "Box": "storage_layout",
    "ChangeLog": "cache.change_log",
    "ChunkCache": "cache.chunk_cache",
    "ChunkManager": "manager",
    "DEFAULT_RAM_BUDGET": "cache.chunk_cache",
    "LevelLayout": "storage_layout",
    "PRECEDENCE": "precedence",
    "LoadingProgressTracker": "progress",
    "check_selection": "storage_layout",
    "default_cache": "cache.chunk_cache",
    "read_box": "storage.boxes",
    "storage_under": "storage_layout",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
