"""The panel that saves sessions and gets them back; it knows nothing of napari."""
