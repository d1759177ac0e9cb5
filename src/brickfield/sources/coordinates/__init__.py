"""Coordinate systems of OME-Zarr 0.6 and the transformations between them."""
