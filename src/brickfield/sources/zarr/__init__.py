"""Single zarr arrays of version 2 and 3, read in whole storage chunks."""
