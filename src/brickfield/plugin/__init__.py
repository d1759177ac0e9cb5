"""What napari meets: readers, layers, widgets, commands. The one importer of napari."""
