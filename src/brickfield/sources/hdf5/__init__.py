"""HDF5 files: plain datasets, master files and Imaris."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.hdf5.dataset import HDF5Dataset as HDF5Dataset
    from brickfield.sources.hdf5.file import open_file as open_file
    from brickfield.sources.hdf5.file import text_attribute as text_attribute
    from brickfield.sources.hdf5.handles import HDF5_LOCK as HDF5_LOCK
    from brickfield.sources.hdf5.handles import is_shared as is_shared
    from brickfield.sources.hdf5.handles import share as share
    from brickfield.sources.hdf5.handles import writing as writing
    from brickfield.sources.hdf5.imaris import open_source as open_imaris

__all__ = [
    "HDF5_LOCK",  # Held during every call of the HDF5 library.
    "HDF5Dataset",  # A chunked (or otherwise not plain) dataset; safe in threads.
    "is_shared",  # Tell whether a file is open for reading in this process.
    "open_file",  # Take a share of an HDF5 file, to read it.
    "open_imaris",  # Open an Imaris file.
    "share",  # Share a file, and open it for reading if it is not open.
    "text_attribute",  # Read an attribute as text, whatever string type it was written in.
    "writing",  # Open a file for reading and writing, while others in this process read it.
]

_HOME = {
    "HDF5Dataset": "dataset",
    "HDF5_LOCK": "handles",
    "is_shared": "handles",
    "open_file": "file",
    "open_imaris": "imaris:open_source",
    "share": "handles",
    "text_attribute": "file",
    "writing": "handles",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
