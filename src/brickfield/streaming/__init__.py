"""Writing an image while it is acquired, so that it can be viewed meanwhile.

:class:`StreamWriter` takes frames and blocks. In the order of what happens to a frame:
`plan` says how frames are grouped, `tiles` keeps them in memory as storage units,
`flush` writes those, `levels` makes coarser ones of what is on disk, `growth` tells
readers, and `recovery` goes on after a crash.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.streaming.acquisition import read_acquisition as read_acquisition
    from brickfield.streaming.mda import AcquisitionHandler as AcquisitionHandler
    from brickfield.streaming.simulation import Microscope as Microscope
    from brickfield.streaming.simulation import simulate as simulate
    from brickfield.streaming.storage.dual_resolution import (
        DualResolutionVoxelStorage as DualResolutionVoxelStorage,
    )
    from brickfield.streaming.watch import AcquisitionWatch as AcquisitionWatch
    from brickfield.streaming.watch import ImageUpdate as ImageUpdate
    from brickfield.streaming.writer import StreamWriter as StreamWriter

__all__ = [
    "AcquisitionHandler",  # Writes each frame that an acquisition engine announces, by its index.
    "AcquisitionWatch",  # Looks at an image on disk, time and again. One thread at a time.
    "DualResolutionVoxelStorage",  # A voxel storage in two resolutions.
    "ImageUpdate",  # What became of an image since the last look.
    "Microscope",  # What is simulated.
    "StreamWriter",  # Writes an image while it is acquired.
    "read_acquisition",  # Read how far an acquisition is; None where there is none or it says nothing.
    "simulate",  # Write what a simulated microscope sees.
]

_HOME = {
    "AcquisitionHandler": "mda",
    "AcquisitionWatch": "watch",
    "DualResolutionVoxelStorage": "storage.dual_resolution",
    "Microscope": "simulation",
    "ImageUpdate": "watch",
    "StreamWriter": "writer",
    "read_acquisition": "acquisition",
    "simulate": "simulation",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
