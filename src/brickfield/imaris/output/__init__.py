"""What is written: the HDF5 file, which is complete or absent, and the XML for BigDataViewer."""
