"""Scans in EMD and other HDF5 files."""
