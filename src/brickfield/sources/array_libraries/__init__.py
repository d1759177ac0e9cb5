"""Arrays of numpy, dask, zarr, tensorstore and h5py as sources."""
