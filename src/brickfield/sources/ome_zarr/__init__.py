"""OME-Zarr 0.1 to 0.6: its metadata, from the root to one image."""
