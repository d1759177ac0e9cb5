"""Slices of napari's own canvas, filled while they are shown."""
