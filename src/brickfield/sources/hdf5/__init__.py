"""HDF5 files: plain datasets, master files and Imaris."""
