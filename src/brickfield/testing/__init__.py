"""What a new source, or a program that uses brickfield, needs for its tests."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.testing.corruptor import chunk_files as chunk_files
    from brickfield.testing.corruptor import corrupt as corrupt
    from brickfield.testing.sources import MemorySource as MemorySource

__all__ = [
    "MemorySource",  # Storage chunks out of arrays in memory. Thread-safe.
    "chunk_files",  # Files below a folder that hold voxels, sorted.
    "corrupt",  # Damage files in place.
]

_HOME = {
    "MemorySource": "sources",
    "chunk_files": "corruptor",
    "corrupt": "corruptor",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
