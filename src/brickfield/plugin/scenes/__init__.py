"""Scene documents of a napari viewer: taken, put back, in files and links."""
