"""Scans: consecutive frames, and the grid they were taken at."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.scans.frame_files import FileFrames as FileFrames
    from brickfield.sources.scans.frame_files import RowRun as RowRun
    from brickfield.sources.scans.frame_stack import FrameScan as FrameScan
    from brickfield.sources.scans.frame_stack import ScanData as ScanData
    from brickfield.sources.scans.frame_stack import Shape4 as Shape4
    from brickfield.sources.scans.lazy_scan import LazyScan as LazyScan
    from brickfield.sources.scans.raw_frames import open_flat_scan as open_flat_scan
    from brickfield.sources.scans.scan_shape import ScanOptions as ScanOptions
    from brickfield.sources.scans.scan_shape import ScanShape as ScanShape
    from brickfield.sources.scans.source import AxisCalibration as AxisCalibration
    from brickfield.sources.scans.source import Scan as Scan

__all__ = [
    "AxisCalibration",  # Size of a step along one axis.
    "FileFrames",  # Frames at a constant distance, in one file or several; safe in threads.
    "FrameScan",  # A scan whose patterns are frames of files; safe in threads.
    "LazyScan",  # The four axes of a scan, read where they are indexed.
    "RowRun",  # The same rows of frames that follow one another in a file that is open.
    "Scan",  # A scan that is open for reading.
    "ScanData",  # A scan of patterns that lies in files. All methods from any thread.
    "ScanOptions",  # What a user says of the scan; None where it is to be found.
    "ScanShape",  # A scan's shape, and how it was found.
    "Shape4",
    "open_flat_scan",  # Open a scan of consecutive frames.
]

_HOME = {
    "AxisCalibration": "source",
    "FileFrames": "frame_files",
    "FrameScan": "frame_stack",
    "LazyScan": "lazy_scan",
    "RowRun": "frame_files",
    "Scan": "source",
    "ScanData": "frame_stack",
    "ScanOptions": "scan_shape",
    "ScanShape": "scan_shape",
    "Shape4": "frame_stack",
    "open_flat_scan": "raw_frames",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
