"""BigDataViewer data: XML with HDF5 or N5."""
