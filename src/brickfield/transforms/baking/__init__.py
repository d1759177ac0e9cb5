"""Transformed images written as OME-Zarr, block by block and resumable."""
