"""Arrays in files and in memory behind one small interface."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources import fingerprints as fingerprints
    from brickfield.sources.array_libraries.source import from_arrays as from_arrays
    from brickfield.sources.boundary import foreign as foreign
    from brickfield.sources.emd.source import open_scan as open_emd_scan
    from brickfield.sources.fingerprints import Fingerprint as Fingerprint
    from brickfield.sources.fingerprints import fingerprint as fingerprint
    from brickfield.sources.fingerprints import has_same_content as has_same_content
    from brickfield.sources.fingerprints import is_same as is_same
    from brickfield.sources.fingerprints import of_files as of_files
    from brickfield.sources.hdf5.dataset import HDF5Dataset as HDF5Dataset
    from brickfield.sources.hdf5.file import open_file as open_file
    from brickfield.sources.hdf5.file import text_attribute as text_attribute
    from brickfield.sources.hdf5.handles import HDF5_LOCK as HDF5_LOCK
    from brickfield.sources.hdf5.handles import is_shared as is_shared
    from brickfield.sources.hdf5.handles import share as share
    from brickfield.sources.hdf5.handles import writing as writing
    from brickfield.sources.hdf5.imaris import open_source as open_imaris
    from brickfield.sources.images.catalogue import Catalogue as Catalogue
    from brickfield.sources.images.catalogue import list_images as list_images
    from brickfield.sources.images.choice import without_image as without_image
    from brickfield.sources.images.entry import ImageEntry as ImageEntry
    from brickfield.sources.images.entry import Plate as Plate
    from brickfield.sources.images.entry import WellPlace as WellPlace
    from brickfield.sources.io.cancellation import LONGEST_S as LONGEST_S
    from brickfield.sources.io.cancellation import SLOWEST as SLOWEST
    from brickfield.sources.io.cancellation import at_end as at_end
    from brickfield.sources.io.cancellation import is_ending as is_ending
    from brickfield.sources.io.cancellation import while_wanted as while_wanted
    from brickfield.sources.io.plain_files import local_path as local_path
    from brickfield.sources.io.plain_files import may_write as may_write
    from brickfield.sources.io.plain_files import open_regular as open_regular
    from brickfield.sources.io.plain_files import read_head as read_head
    from brickfield.sources.io.plain_files import read_whole as read_whole
    from brickfield.sources.limits.admission import LEAST_ALLOWANCE as LEAST_ALLOWANCE
    from brickfield.sources.limits.admission import read_bytes as read_bytes
    from brickfield.sources.limits.admission import within as within
    from brickfield.sources.mib.source import open_scan as open_mib_scan
    from brickfield.sources.open import open_source as open_source
    from brickfield.sources.open_image import find_format as find_format
    from brickfield.sources.places import local_places as local_places
    from brickfield.sources.places import place_of_uri as place_of_uri
    from brickfield.sources.places import places_of as places_of
    from brickfield.sources.preview_level import with_coarse_level as with_coarse_level
    from brickfield.sources.protocol import ChunkSource as ChunkSource
    from brickfield.sources.protocol import MadeOfParts as MadeOfParts
    from brickfield.sources.protocol import StorageChunk as StorageChunk
    from brickfield.sources.replaceable import ReplaceableSource as ReplaceableSource
    from brickfield.sources.scans.frame_stack import FileFrames as FileFrames
    from brickfield.sources.scans.frame_stack import FrameScan as FrameScan
    from brickfield.sources.scans.frame_stack import ScanData as ScanData
    from brickfield.sources.scans.frame_stack import Shape4 as Shape4
    from brickfield.sources.scans.raw_frames import open_flat_scan as open_flat_scan
    from brickfield.sources.scans.scan_shape import ScanOptions as ScanOptions
    from brickfield.sources.scans.scan_shape import ScanShape as ScanShape
    from brickfield.sources.scans.source import AxisCalibration as AxisCalibration
    from brickfield.sources.scans.source import Scan as Scan
    from brickfield.sources.units import metres as metres

__all__ = [
    "HDF5_LOCK",  # Held during every call of the HDF5 library.
    "LEAST_ALLOWANCE",  # What a reader may take for one chunk, however small its budget.
    "LONGEST_S",  # A wait that would else be endless (no connection, a trickle) ends after so long.
    "SLOWEST",  # Decoded bytes a second at which a slow line still counts as alive.
    "AxisCalibration",  # Size of a step along one axis.
    "Catalogue",  # What a store holds. Any thread, but one at a time.
    "ChunkSource",  # Reads storage chunks. All methods may be called from any thread.
    "FileFrames",  # Frames at a constant distance, in one file or several; safe in threads.
    "Fingerprint",  # Plain JSON values.
    "FrameScan",  # A scan whose patterns are frames of files; safe in threads.
    "HDF5Dataset",  # A chunked (or otherwise not plain) dataset; safe in threads.
    "ImageEntry",  # One image of a store.
    "MadeOfParts",  # A source some levels of which are made of the storage chunks of another.
    "Plate",  # A plate as its metadata draw it.
    "ReplaceableSource",  # Hands everything on to the source opened last. Any thread may call it.
    "Scan",  # A scan that is open for reading.
    "ScanData",  # A scan of patterns that lies in files. All methods from any thread.
    "ScanOptions",  # What a user says of the scan; None where it is to be found.
    "ScanShape",  # A scan's shape, and how it was found.
    "Shape4",
    "StorageChunk",  # One storage chunk as read.
    "WellPlace",  # One well: its path in the store, and where it is on the plate.
    "at_end",  # Call a function when the program ends, before its threads are waited for.
    "find_format",  # Find out what a path or URL holds.
    "fingerprint",  # Tell what the data of one level of a source are like now.
    "fingerprints",  # Whether the data of a source are still the same, without reading all of them.
    "foreign",  # Turn what goes wrong with foreign data into one of our errors.
    "from_arrays",  # Make a source of one array or of a list of levels.
    "has_same_content",  # Tell whether two fingerprints are of equal bytes, wherever and whenever written.
    "is_ending",  # Whether the program is ending; its main thread answers no more.
    "is_same",  # Tell whether two fingerprints describe the same data, as far as both know.
    "is_shared",  # Tell whether a file is open for reading in this process.
    "list_images",  # List the images of a store; see :class:`Catalogue`.
    "local_path",  # Path of a local file or folder, given as a path or a ``file://`` URI.
    "local_places",  # Return what a source reads on this machine.
    "may_write",  # Tell whether a file or folder may be written to.
    "metres",  # Length of a unit, None if it is not known.
    "of_files",  # Tell what files, and all files below folders, are like now.
    "open_emd_scan",  # Open a scan in an HDF5 file.
    "open_file",  # Take a share of an HDF5 file, to read it.
    "open_flat_scan",  # Open a scan whose frames lie one behind the other.
    "open_imaris",  # Open an Imaris file.
    "open_mib_scan",  # Open a MIB file as a scan.
    "open_regular",  # Open a regular file for reading, unbuffered; never wait for a pipe's writer.
    "open_source",  # Open any supported store or array for reading storage chunks.
    "place_of_uri",  # Return what an address names; None for arrays in memory.
    "places_of",  # Return what a source reads.
    "read_bytes",  # Return the memory that reading a chunk takes at its peak.
    "read_head",  # Read the first bytes of a file, fewer where it is shorter.
    "read_whole",  # Read a whole file of at most `limit` bytes.
    "share",  # Share a file, and open it for reading if it is not open.
    "text_attribute",  # Read an attribute as text, whatever string type it was written in.
    "while_wanted",  # Let the waits of this thread end as soon as a read is not wanted any more.
    "with_coarse_level",  # Add a sampled coarse level to a source whose coarsest level is large.
    "within",  # Let the reads of this thread take no more than a budget, each.
    "without_image",  # Put what opens an image in place of its name.
    "writing",  # Open a file for reading and writing, while others in this process read it.
]

_HOME = {
    "AxisCalibration": "scans.source",
    "Catalogue": "images.catalogue",
    "ChunkSource": "protocol",
    "FileFrames": "scans.frame_stack",
    "Fingerprint": "fingerprints",
    "FrameScan": "scans.frame_stack",
    "HDF5Dataset": "hdf5.dataset",
    "HDF5_LOCK": "hdf5.handles",
    "ImageEntry": "images.entry",
    "LEAST_ALLOWANCE": "limits.admission",
    "LONGEST_S": "io.cancellation",
    "MadeOfParts": "protocol",
    "Plate": "images.entry",
    "ReplaceableSource": "replaceable",
    "SLOWEST": "io.cancellation",
    "Scan": "scans.source",
    "ScanData": "scans.frame_stack",
    "ScanOptions": "scans.scan_shape",
    "ScanShape": "scans.scan_shape",
    "Shape4": "scans.frame_stack",
    "StorageChunk": "protocol",
    "WellPlace": "images.entry",
    "at_end": "io.cancellation",
    "find_format": "open_image",
    "fingerprint": "fingerprints",
    "fingerprints": "fingerprints:",
    "foreign": "boundary",
    "from_arrays": "array_libraries.source",
    "has_same_content": "fingerprints",
    "is_ending": "io.cancellation",
    "is_same": "fingerprints",
    "is_shared": "hdf5.handles",
    "list_images": "images.catalogue",
    "local_path": "io.plain_files",
    "local_places": "places",
    "may_write": "io.plain_files",
    "metres": "units",
    "of_files": "fingerprints",
    "open_emd_scan": "emd.source:open_scan",
    "open_flat_scan": "scans.raw_frames",
    "open_file": "hdf5.file",
    "open_imaris": "hdf5.imaris:open_source",
    "open_mib_scan": "mib.source:open_scan",
    "open_regular": "io.plain_files",
    "open_source": "open",
    "place_of_uri": "places",
    "places_of": "places",
    "read_bytes": "limits.admission",
    "read_head": "io.plain_files",
    "read_whole": "io.plain_files",
    "share": "hdf5.handles",
    "text_attribute": "hdf5.file",
    "while_wanted": "io.cancellation",
    "with_coarse_level": "preview_level",
    "within": "limits.admission",
    "without_image": "images.choice",
    "writing": "hdf5.handles",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
