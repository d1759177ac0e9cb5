"""Sessions of a napari viewer: everything in it taken and put back, and the dock."""
