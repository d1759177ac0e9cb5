"""Turning and shifting napari layers by a matrix, and baking them."""
