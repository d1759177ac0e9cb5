"""What every writer checks before it touches a file, and how files are put in place.

Three rules hold for whatever brickfield writes:

1. **A source is never written to.** :mod:`~brickfield.writing.guard` compares a
   target with the files that a source reads, links followed, in both directions.
2. **Only what is recognised is replaced.** :mod:`~brickfield.writing.stores` looks
   at every entry of a folder before any of them is removed; what belongs to no
   OME-Zarr image makes the whole folder untouchable.
3. **A file, and a folder, is whole or not there.** :mod:`~brickfield.writing.files`
   and :mod:`~brickfield.writing.commit` write beside the target and rename, so that
   a full disk or a kill leaves the old one or none.

The package stands above the sources, which tell what they read, and below everything
that writes: pyramids, layers saved from napari, pictures, receipts, movies.

What writes OME-Zarr finds here, in the order of use: choices (`options`), the folder
(`place`), shapes and positions of levels (`level_plans`), arrays on disk
(`stored_level` over `specs`), voxels of any source by regions (`source_reader`), the
blocks that make one level of another (`level_jobs` over `downsample`), and metadata,
put in place last (`metadata`; `collection` for several images in one folder).
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.writing import place as place
    from brickfield.writing.collection import publish_collection as publish_collection
    from brickfield.writing.collection import write_group as write_group
    from brickfield.writing.commit import begin_sync as begin_sync
    from brickfield.writing.commit import building as building
    from brickfield.writing.commit import changing as changing
    from brickfield.writing.commit import sync_places as sync_places
    from brickfield.writing.downsample import downsample as downsample_downsample
    from brickfield.writing.files import check_output as check_output
    from brickfield.writing.files import (
        check_replaceable_file as check_replaceable_file,
    )
    from brickfield.writing.files import usable_path as usable_path
    from brickfield.writing.files import write_text as write_text
    from brickfield.writing.files import write_whole as write_whole
    from brickfield.writing.guard import check_file as check_file
    from brickfield.writing.guard import check_folder as check_folder
    from brickfield.writing.level_jobs import LevelBlock as LevelBlock
    from brickfield.writing.level_jobs import fitting_jobs as fitting_jobs
    from brickfield.writing.options import COMPRESSORS as COMPRESSORS
    from brickfield.writing.options import IMAGE_VERSIONS as IMAGE_VERSIONS
    from brickfield.writing.options import VERSIONS as VERSIONS
    from brickfield.writing.options import LevelOptions as LevelOptions
    from brickfield.writing.options import Method as Method
    from brickfield.writing.options import Triple as Triple
    from brickfield.writing.options import check_known as check_known
    from brickfield.writing.options import parse_triple as parse_triple
    from brickfield.writing.source_reader import SourceReader as SourceReader
    from brickfield.writing.specs import array_spec as array_spec
    from brickfield.writing.stored_level import StoredLevel as StoredLevel
    from brickfield.writing.stored_level import stored_level as described_level
__all__ = [
    "COMPRESSORS",
    "IMAGE_VERSIONS",  # Of single images: 0.6 alone also holds what turns, shears or mirrors them.
    "VERSIONS",
    "LevelBlock",  # Makes one block of a level from the level before; a block function.
    "LevelOptions",  # How the arrays of an image are cut, and how one follows from another.
    "Method",  # How voxels are joined, see :func:`brickfield.writing.downsample.downsample`.
    "SourceReader",  # One level of a source, axes in another order.
    "StoredLevel",  # One array of the written store.
    "Triple",
    "array_spec",  # Describe an array of the version that `header` names, without its place.
    "begin_sync",  # Have the system begin to bring a file to disk, without waiting for it.
    "building",  # Give a new folder to build a store in, and put it in place at the end.
    "changing",  # Keep other runs from replacing a folder while some files in it are changed.
    "check_file",  # Refuse a file that a source reads, or one inside a folder that it reads.
    "check_folder",  # Refuse a folder that must not be written to, since the source is read there.
    "check_known",  # Refuse a value that is none of the known ones.
    "check_output",  # Refuse a file to write that a source reads, or that is something else's.
    "check_replaceable_file",  # Refuse to replace an existing file of another kind than is written.
    "described_level",  # Describe an array to be written.
    "downsample_downsample",  # Join voxels.
    "fitting_jobs",  # Make the jobs for as many workers as the budget allows.
    "parse_triple",  # Read one or three positive integers (z, y, x), for example "32,64,64".
    "place",  # The folder that an image goes to: what may be there, and what may be removed.
    "publish_collection",  # Write the metadata that make a folder of images a collection.
    "sync_places",  # Wait until files and folders are on disk.
    "usable_path",  # Return a path that the operating system accepts.
    "write_group",  # Write the metadata of a group, its one file that counts last.
    "write_text",  # Write a text file in UTF-8 completely, or leave what was there.
    "write_whole",  # Write a file whole, or leave what was there.
]

_HOME = {
    "COMPRESSORS": "options",
    "LevelBlock": "level_jobs",
    "LevelOptions": "options",
    "Method": "options",
    "SourceReader": "source_reader",
    "StoredLevel": "stored_level",
    "Triple": "options",
    "IMAGE_VERSIONS": "options",
    "VERSIONS": "options",
    "array_spec": "specs",
    "begin_sync": "commit",
    "building": "commit",
    "changing": "commit",
    "check_file": "guard",
    "check_folder": "guard",
    "check_known": "options",
    "check_output": "files",
    "check_replaceable_file": "files",
    "described_level": "stored_level:stored_level",
    "downsample_downsample": "downsample:downsample",
    "fitting_jobs": "level_jobs",
    "parse_triple": "options",
    "place": "place:",
    "publish_collection": "collection",
    "usable_path": "files",
    "write_group": "collection",
    "write_text": "files",
    "write_whole": "files",
    "sync_places": "commit",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
