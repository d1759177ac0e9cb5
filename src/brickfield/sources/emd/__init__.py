"""Scans in EMD and other HDF5 files."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.emd.source import open_scan as open_emd_scan

__all__ = [
    "open_emd_scan",  # Open a scan in an HDF5 file.
]

_HOME = {
    "open_emd_scan": "source:open_scan",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
