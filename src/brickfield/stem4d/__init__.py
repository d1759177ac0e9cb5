"""Scans of diffraction patterns (4D-STEM) larger than memory.

:mod:`~brickfield.stem4d.viewers` opens them, :mod:`~brickfield.stem4d.detectors`
says which pixels count, :mod:`~brickfield.stem4d.passes` goes over all patterns
within a budget, :mod:`~brickfield.stem4d.convert` writes them as EMD. A source file
is never written to.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.stem4d.cache.manager import EMDCacheManager as EMDCacheManager
    from brickfield.stem4d.convert import Converted as Converted
    from brickfield.stem4d.convert import ConvertOptions as ConvertOptions
    from brickfield.stem4d.convert import convert as convert_scan
    from brickfield.stem4d.corrections import CorrectionOptions as CorrectionOptions
    from brickfield.stem4d.detectors import Annulus as Annulus
    from brickfield.stem4d.detectors import Detector as Detector
    from brickfield.stem4d.detectors import Disc as Disc
    from brickfield.stem4d.detectors import Mask as Mask
    from brickfield.stem4d.detectors import Rectangle as Rectangle
    from brickfield.stem4d.detectors import Wedge as Wedge
    from brickfield.stem4d.fft.access import LazyFFTAccessor as LazyFFTAccessor
    from brickfield.stem4d.fft.plan import FFTOptions as FFTOptions
    from brickfield.stem4d.fft.store import ChunkedFFTProcessor as ChunkedFFTProcessor
    from brickfield.stem4d.fft.store import share_done as share_done
    from brickfield.stem4d.follow import ScanFollower as ScanFollower
    from brickfield.stem4d.open import EMD as EMD
    from brickfield.stem4d.open import OpenOptions as OpenOptions
    from brickfield.stem4d.open import open_scan as open_scan
    from brickfield.stem4d.output import check_result_file as check_result_file
    from brickfield.stem4d.output import write_result as write_result
    from brickfield.stem4d.overviews import BinnedScan as BinnedScan
    from brickfield.stem4d.overviews import OverviewComputer as OverviewComputer
    from brickfield.stem4d.passes import PassOptions as PassOptions
    from brickfield.stem4d.viewers import EMDEnhancedViewer as EMDEnhancedViewer
    from brickfield.stem4d.viewers import LazyDataManager as LazyDataManager
    from brickfield.stem4d.viewers import MIBLazyViewer as MIBLazyViewer
    from brickfield.stem4d.viewers import ScanViewer as ScanViewer
    from brickfield.stem4d.viewers import scan_region as scan_region

__all__ = [
    "EMD",
    "Annulus",  # A ring: dark field.
    "BinnedScan",  # A scan with detector pixels summed, for quick images.
    "ChunkedFFTProcessor",  # Transforms a scan and stores the result with it.
    "ConvertOptions",  # How a scan is written.
    "Converted",  # What a conversion came to.
    "CorrectionOptions",  # The corrections that a user chose.
    "Detector",  # Base of all detectors.
    "Disc",  # A disc: bright field.
    "EMDCacheManager",  # What is kept with one scan.
    "EMDEnhancedViewer",  # A scan in an EMD or other HDF5 file; see :class:`ScanViewer`.
    "FFTOptions",  # What is transformed, and how.
    "LazyDataManager",  # Opens a scan with the viewer that fits its file.
    "LazyFFTAccessor",  # A stored transform, read where it is indexed; safe in threads.
    "MIBLazyViewer",  # A scan of a Merlin detector, read only; see :class:`ScanViewer`.
    "Mask",  # Any pixels, or weights.
    "OpenOptions",  # What a user says of a file.
    "OverviewComputer",  # Computes overviews of a scan, as many as are asked for in one pass.
    "PassOptions",  # How a pass is made.
    "Rectangle",  # A rectangle.
    "ScanFollower",  # Follows a MIB acquisition that goes on.
    "ScanViewer",  # A scan that is open.
    "Wedge",  # A part of a ring: segments of a detector.
    "check_result_file",  # Check where a result is to be written, before it is computed.
    "convert_scan",  # Write a scan as an EMD file.
    "open_scan",  # Open a scan of any format.
    "scan_region",  # Check a region of a scan.
    "share_done",  # Return the completed share of an interrupted transform, 0 to 1; None if there is none.
    "write_result",  # Write an array by the end of its file's name.
]

_HOME = {
    "Annulus": "detectors",
    "BinnedScan": "overviews",
    "ChunkedFFTProcessor": "fft.store",
    "ConvertOptions": "convert",
    "Converted": "convert",
    "CorrectionOptions": "corrections",
    "Detector": "detectors",
    "Disc": "detectors",
    "EMD": "open",
    "EMDCacheManager": "cache.manager",
    "EMDEnhancedViewer": "viewers",
    "FFTOptions": "fft.plan",
    "LazyDataManager": "viewers",
    "LazyFFTAccessor": "fft.access",
    "MIBLazyViewer": "viewers",
    "Mask": "detectors",
    "OpenOptions": "open",
    "OverviewComputer": "overviews",
    "PassOptions": "passes",
    "Rectangle": "detectors",
    "ScanFollower": "follow",
    "ScanViewer": "viewers",
    "Wedge": "detectors",
    "check_result_file": "output",
    "convert_scan": "convert:convert",
    "open_scan": "open",
    "scan_region": "viewers",
    "share_done": "fft.store",
    "write_result": "output",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
