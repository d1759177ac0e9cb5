"""Scans of diffraction patterns (4D-STEM) larger than memory.

:mod:`~brickfield.stem4d.viewers` opens them, :mod:`~brickfield.stem4d.detectors`
says which pixels count, :mod:`~brickfield.stem4d.passes` goes over all patterns
within a budget, :mod:`~brickfield.stem4d.convert` writes them as EMD. A source file
is never written to.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing takes longer to import than this
if TYPE_CHECKING:
    from typing import Any

    from brickfield.stem4d.cache.manager import EMDCacheManager as EMDCacheManager
    from brickfield.stem4d.fft.access import LazyFFTAccessor as LazyFFTAccessor
    from brickfield.stem4d.fft.store import ChunkedFFTProcessor as ChunkedFFTProcessor
    from brickfield.stem4d.overviews import OverviewComputer as OverviewComputer
    from brickfield.stem4d.viewers import EMDEnhancedViewer as EMDEnhancedViewer
    from brickfield.stem4d.viewers import LazyDataManager as LazyDataManager
    from brickfield.stem4d.viewers import MIBLazyViewer as MIBLazyViewer

_HOME = {
    "ChunkedFFTProcessor": "fft.store",
    "EMDCacheManager": "cache.manager",
    "EMDEnhancedViewer": "viewers",
    "LazyDataManager": "viewers",
    "LazyFFTAccessor": "fft.access",
    "MIBLazyViewer": "viewers",
    "OverviewComputer": "overviews",
}

__all__ = [
    "ChunkedFFTProcessor",
    "EMDCacheManager",
    "EMDEnhancedViewer",
    "LazyDataManager",
    "LazyFFTAccessor",
    "MIBLazyViewer",
    "OverviewComputer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
