"""What every writer asks before it touches a file, and how files are put in place.

Three rules hold for whatever brickfield writes:

1. **A source is never written to.** :mod:`~brickfield.writing.guard` compares a
   target with the files that a source reads, links followed, in both directions.
2. **Only what is recognised is replaced.** :mod:`~brickfield.writing.stores` looks
   at every entry of a folder before any of them is removed; what belongs to no
   OME-Zarr image makes the whole folder untouchable.
3. **A file, and a folder, is whole or not there.** :mod:`~brickfield.writing.files`
   and :mod:`~brickfield.writing.commit` write beside the target and rename, so that
   a full disk or a kill leaves the old one or none.

The storey stands above the sources, which tell what they read, and below everything
that writes: pyramids, layers saved from napari, pictures, receipts, movies.

What writes OME-Zarr finds here, in the order of use: choices (`options`), the folder
(`place`), shapes and positions of levels (`level_plans`), arrays on disk
(`stored_level` over `specs`), voxels of any source by regions (`source_reader`), the
blocks that make one level of another (`level_jobs` over `downsample`), and metadata,
put in place last (`metadata`; `collection` for several images in one folder).
"""
