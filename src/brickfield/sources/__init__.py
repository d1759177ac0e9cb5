"""Arrays in files and in memory behind one small interface."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources import fingerprints as fingerprints
    from brickfield.sources.array_libraries.source import from_arrays as from_arrays
    from brickfield.sources.boundary import foreign as foreign
    from brickfield.sources.fingerprints import Fingerprint as Fingerprint
    from brickfield.sources.fingerprints import fingerprint as fingerprint
    from brickfield.sources.fingerprints import has_same_content as has_same_content
    from brickfield.sources.fingerprints import is_same as is_same
    from brickfield.sources.fingerprints import of_files as of_files
    from brickfield.sources.open import open_source as open_source
    from brickfield.sources.open import opening_options as opening_options
    from brickfield.sources.open_image import find_format as find_format
    from brickfield.sources.places import local_places as local_places
    from brickfield.sources.places import place_of_uri as place_of_uri
    from brickfield.sources.places import places_of as places_of
    from brickfield.sources.preview_level import with_coarse_level as with_coarse_level
    from brickfield.sources.protocol import ChunkSource as ChunkSource
    from brickfield.sources.protocol import MadeOfParts as MadeOfParts
    from brickfield.sources.protocol import PartlyReadError as PartlyReadError
    from brickfield.sources.protocol import StorageChunk as StorageChunk
    from brickfield.sources.replaceable import ReplaceableSource as ReplaceableSource
    from brickfield.sources.units import metres as metres

__all__ = [
    "ChunkSource",  # Reads storage chunks. All methods may be called from any thread.
    "Fingerprint",  # Plain JSON values.
    "MadeOfParts",  # A source some levels of which are made of the storage chunks of another.
    "PartlyReadError",  # Of a storage chunk made of several things some cannot be read.
    "ReplaceableSource",  # Hands everything on to the source opened last. Any thread may call it.
    "StorageChunk",  # One storage chunk as read.
    "find_format",  # Find out what a path or URL holds.
    "fingerprint",  # Tell what the data of one level of a source are like now.
    "fingerprints",  # Whether the data of a source are still the same, without reading all of them.
    "foreign",  # Turn what goes wrong with foreign data into one of our errors.
    "from_arrays",  # Make a source of one array or of a list of levels.
    "has_same_content",  # Tell whether two fingerprints are of equal bytes, wherever and whenever written.
    "is_same",  # Tell whether two fingerprints describe the same data, as far as both know.
    "local_places",  # Return what a source reads on this machine.
    "metres",  # Length of a unit, None if it is not known.
    "of_files",  # Tell what files, and all files below folders, are like now.
    "open_source",  # Open any supported store or array for reading storage chunks.
    "opening_options",  # Check options that are handed on to :func:`open_source`.
    "place_of_uri",  # Return what an address names; None for arrays in memory.
    "places_of",  # Return what a source reads.
    "with_coarse_level",  # Add a sampled coarse level to a source whose coarsest level is large.
]

_HOME = {
    "ChunkSource": "protocol",
    "Fingerprint": "fingerprints",
    "MadeOfParts": "protocol",
    "PartlyReadError": "protocol",
    "ReplaceableSource": "replaceable",
    "StorageChunk": "protocol",
    "find_format": "open_image",
    "fingerprint": "fingerprints",
    "fingerprints": "fingerprints:",
    "foreign": "boundary",
    "from_arrays": "array_libraries.source",
    "has_same_content": "fingerprints",
    "is_same": "fingerprints",
    "local_places": "places",
    "metres": "units",
    "of_files": "fingerprints",
    "open_source": "open",
    "opening_options": "open",
    "place_of_uri": "places",
    "places_of": "places",
    "with_coarse_level": "preview_level",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
